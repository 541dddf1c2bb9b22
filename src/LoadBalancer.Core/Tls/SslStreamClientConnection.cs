using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>A connection to a destination, by the portable path.</summary>
internal sealed class SslStreamClientConnection : SslStreamConnection
{
    private readonly DestinationTls _destination;

    internal SslStreamClientConnection(TransportConnection inner, DestinationTls destination) : base(inner, verifies: true)
    {
        _destination = destination;
        FailReason = EndReason.UpstreamTlsFailed;
    }

    internal override bool IsTruncated => Below.HasEnded;

    private protected override async ValueTask<bool> HandshakeAsync()
    {
        UpstreamTls shared = _destination.Shared;
        TlsPolicy policy = shared.Config.Policy;
        try
        {
            await Ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = _destination.ServerName, // not sent where it is an address
                ApplicationProtocols = IsHttp ? [SslApplicationProtocol.Http11] : null,
                EnabledSslProtocols = TlsCiphers.Protocols(policy),
                CipherSuitesPolicy = TlsCiphers.Suites(policy),
                EncryptionPolicy = EncryptionPolicy.RequireEncryption,
                AllowRenegotiation = false,
                CertificateChainPolicy = ChainTrust.Policy(shared.Authorities, ChainTrust.ServerAuthentication),
                ClientCertificateContext = shared.Certificate?.Context,
            }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (IsPeerFault(e))
        {
            if (Problem.Length == 0) Problem = DescribeHandshake(e);
            return false;
        }
        // RFC 7301 §3.2: none, or what was offered.
        if (Ssl.NegotiatedApplicationProtocol.Protocol.IsEmpty || IsHttp && Ssl.NegotiatedApplicationProtocol == SslApplicationProtocol.Http11) return true;
        Problem = UpstreamProblem.OtherProtocol;
        return false;
    }

    private protected override void OnReadBroken(string problem)
    {
        if (NoteRefused(problem)) _destination.Tell(problem);
    }

    private string DescribeHandshake(Exception e) =>
        Below.FirstByte >= 0 && !UpstreamProblem.IsTls(Below.FirstByte) ? UpstreamProblem.NoTls
        : Inner.Fault == TransportFault.Reset ? UpstreamProblem.Reset
        : Below.HasEnded ? UpstreamProblem.Closed
        : Describe(e);

    // RFC 9525 §6.1: the subject alternative names count, the common name does not.
    private protected override bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (!_destination.Shared.Config.Verify) return true;
        string? problem = certificate is null ? "there is none"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? chain?.ChainStatus.FirstOrDefault().StatusInformation is { Length: > 0 } status ? status.Trim() : "its chain is not complete"
            : errors != SslPolicyErrors.None || !((X509Certificate2)certificate).MatchesHostname(_destination.ServerName, allowCommonName: false) ? "it is for other names"
            : null;
        if (problem is null) return true;
        FailReason = EndReason.UpstreamCertificateInvalid;
        Problem = UpstreamProblem.Certificate(problem, _destination.ServerName);
        return false;
    }
}
