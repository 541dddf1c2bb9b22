using LoadBalancer.Core.Policies;
using LoadBalancer.Identity.Certificates;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Takes who a request is from out of the client certificate, which the listener has verified ("tls": { "clientCertificates": … }).</summary>
public sealed record MutualTlsConfig : AuthenticationConfig
{
    /// <summary>What of the certificate is the subject. Default the common name.</summary>
    public CertificateSubject Subject { get; init; }

    /// <inheritdoc/>
    public override string Kind => "clientCertificate";

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        base.Validate(problems);
        if (RemoveCredential is not null) problems.Add("removeCredential", "has no meaning here: a certificate is not forwarded");
        if (!problems.Config.Listeners.Values.Any(listener => listener.Tls?.ClientCertificates is not null)) problems.Add("", "no listener asks for a client certificate; expected \"tls\": { \"clientCertificates\": … } on one");
    }

    private protected override AuthenticationPolicy CreatePolicy(PolicyServices services) => new MutualTlsPolicy(this, services);
}
