using System.Diagnostics;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>A connection encrypted by <see cref="SslStream"/>: wherever .NET runs, at the price of a stream in between.</summary>
internal sealed class SslStreamConnection : TlsConnection
{
    private readonly SslStreamReader _reader;
    private readonly CertificateSet _certificates;
    private readonly ClientVerification? _clients;

    internal SslStreamConnection(TransportConnection inner, CertificateSet certificates, ClientVerification? clients) : base(inner)
    {
        _certificates = certificates;
        _clients = clients;
        Ssl = new SslStream(new TransportStream(inner), leaveInnerStreamOpen: true, clients is null ? null : AcceptsClient);
        _reader = new SslStreamReader(this, inner);
    }

    internal SslStream Ssl { get; }

    public override TransportReader Input => _reader;

    private protected override TlsReader Reader => _reader;

    private protected override async ValueTask<bool> HandshakeAsync()
    {
        try
        {
            await Ssl.AuthenticateAsServerAsync(
                static (_, hello, connection, _) => new(((SslStreamConnection)connection!)._certificates.Find(hello.ServerName).Stream!), this, CancellationToken.None).ConfigureAwait(false);
            if (_clients is not null) ClientCertificate = (X509Certificate2?)Ssl.RemoteCertificate;
            return true;
        }
        catch (Exception e) when (IsPeerFault(e))
        {
            return false;
        }
    }

    private bool AcceptsClient(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        bool isAccepted = _clients!.Accepts(certificate, errors);
        if (!isAccepted) FailReason = EndReason.ClientCertificateRefused;
        return isAccepted;
    }

    // Completes at once: the stream below only collects.
    internal override bool Encrypt(ReadOnlyMemory<byte> plain)
    {
        if (plain.IsEmpty) return true;
        try
        {
            ValueTask writing = Ssl.WriteAsync(plain);
            Debug.Assert(writing.IsCompleted, "the stream below only collects");
            writing.GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e) when (IsPeerFault(e))
        {
            NoteFault(isBroken: true);
            return false;
        }
    }

    internal override void EndRecords()
    {
        try
        {
            Ssl.ShutdownAsync().GetAwaiter().GetResult();
        }
        catch (Exception e) when (IsPeerFault(e))
        {
            NoteFault(isBroken: true);
        }
    }

    /// <summary>What <see cref="SslStream"/> throws for what a peer sends or for how it leaves.</summary>
    internal static bool IsPeerFault(Exception e) => e is IOException or AuthenticationException or InvalidOperationException or System.ComponentModel.Win32Exception;

    private protected override void Release() => Ssl.Dispose();
}
