using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>A client's connection, by the portable path.</summary>
internal sealed class SslStreamServerConnection : SslStreamConnection
{
    private readonly SslServerAuthenticationOptions? _options; // whatever name is asked for
    private CertificateSet? _certificates; // null when the hand-shake is over, so that a set that was replaced does not stay for connections that are kept

    internal SslStreamServerConnection(TransportConnection inner, CertificateSet certificates) : base(inner, verifies: certificates.Clients is not null) =>
        _certificates = certificates;

    /// <summary>One that shows the same certificate to everybody.</summary>
    internal SslStreamServerConnection(TransportConnection inner, SslServerAuthenticationOptions options) : base(inner, verifies: false) => _options = options;

    // A request says itself whether it is whole. Other bytes do not.
    internal override bool IsTruncated => !IsHttp && Below.HasEnded;

    private protected override async ValueTask<bool> HandshakeAsync()
    {
        try
        {
            await Ssl.AuthenticateAsServerAsync(
                static (_, hello, connection, _) => new(((SslStreamServerConnection)connection!).OptionsFor(hello.ServerName)), this, CancellationToken.None).ConfigureAwait(false);
            if (_certificates?.Clients is not null) ClientCertificate = (X509Certificate2?)Ssl.RemoteCertificate;
            _certificates = null;
            TlsSummary = new TlsSummary(TlsNames.Of(Ssl.SslProtocol), Ssl.NegotiatedCipherSuite.ToString(), Ssl.TargetHostName is { Length: > 0 } name ? name : null);
            return true;
        }
        catch (Exception e) when (IsPeerFault(e))
        {
            return false;
        }
    }

    private SslServerAuthenticationOptions OptionsFor(string name) => _options ?? _certificates!.Find(name).Stream!;

    private protected override bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        bool isAccepted = _certificates!.Clients!.Accepts(certificate, errors);
        if (!isAccepted) FailReason = EndReason.ClientCertificateRefused;
        return isAccepted;
    }
}
