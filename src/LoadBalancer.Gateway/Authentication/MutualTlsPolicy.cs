using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Certificates;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Takes who a request is from out of the client certificate.</summary>
internal sealed class MutualTlsPolicy(MutualTlsConfig config, PolicyServices services) : AuthenticationPolicy(config, services, challenge: null, removesCredential: false)
{
    // One certificate is an object for as long as its connection is open: it is read once.
    private readonly ConditionalWeakTable<X509Certificate2, Known> _known = [];

    private sealed record Known(VerificationResult Result);

    internal override ValueTask<VerificationResult> VerifyAsync(RequestContext context)
    {
        if (context.ClientCertificate is not { } certificate) return new(VerificationResult.Failed(FailureReason.NoCredential));
        if (!_known.TryGetValue(certificate, out Known? known))
        {
            known = new Known(CertificateIdentity.Read(certificate, config.Subject));
            _known.AddOrUpdate(certificate, known);
        }
        return new(Unrevoked(known.Result));
    }

    protected override void RemoveCredential(HeaderFields fields)
    {
    }
}
