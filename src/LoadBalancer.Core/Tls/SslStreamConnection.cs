using System.Diagnostics;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>A connection encrypted by <see cref="SslStream"/>: wherever .NET runs, at the price of a stream in between.</summary>
internal abstract class SslStreamConnection : TlsConnection
{
    private readonly SslStreamReader _reader;

    private protected SslStreamConnection(TransportConnection inner, bool verifies) : base(inner)
    {
        Below = new TransportStream(inner);
        Ssl = new SslStream(Below, leaveInnerStreamOpen: true, verifies ? (_, certificate, chain, errors) => Accepts(certificate, chain, errors) : null);
        _reader = new SslStreamReader(this, inner);
    }

    private protected TransportStream Below { get; }

    internal SslStream Ssl { get; }

    public override TransportReader Input => _reader;

    private protected override TlsReader Reader => _reader;

    /// <summary>The verdict on the peer's certificate, where there is one to give.</summary>
    private protected abstract bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors);

    /// <summary>A read of the stream has thrown.</summary>
    internal void OnReadFault(Exception e) => OnReadBroken(Inner.Fault == TransportFault.None && !Below.HasEnded ? Describe(e) : "");

    private protected static string Describe(Exception e) => e.GetBaseException().Message.ReplaceLineEndings(" ").Trim();

    /// <summary>Whether an end that has just been met is none in order: the peer owes a close_notify (RFC 8446 §6.1), and there was none.</summary>
    internal virtual bool IsTruncated => false;

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

    /// <summary>What <see cref="SslStream"/> throws for what a peer sends or for how it leaves. Not supported is what it calls a server without a certificate: none was chosen, as the first message is no ClientHello.</summary>
    internal static bool IsPeerFault(Exception e) => e is IOException or AuthenticationException or InvalidOperationException or NotSupportedException or System.ComponentModel.Win32Exception;

    private protected override void Release() => Ssl.Dispose();
}
