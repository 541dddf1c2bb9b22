using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies signed tokens.</summary>
internal sealed class JwtPolicy : AuthenticationPolicy
{
    private readonly IReadOnlyList<CredentialPlace> _places;
    private readonly TokenVerifier _verifier;

    internal JwtPolicy(JwtConfig config, PolicyServices services) : base(config, services, "Bearer", removesCredential: false)
    {
        _places = CredentialPlace.ParseAll(config.From);
        TokenIssuer[] issuers = [.. config.Issuers.Select(issuer => issuer.Value.Create(issuer.Key, Sources))];
        _verifier = new TokenVerifier(issuers, config.Cache > 0 ? new VerifiedCache(config.Cache) : null, Revocations, services.Time, config.TokenBytesMax);
    }

    internal override ValueTask<VerificationResult> VerifyAsync(RequestContext context)
    {
        FailureReason reason = CredentialPlace.Find(_places, context.Fields, out ReadOnlySpan<byte> token);
        return reason == FailureReason.None ? _verifier.VerifyAsync(token) : new(VerificationResult.Failed(reason));
    }

    protected override void RemoveCredential(HeaderFields fields)
    {
        foreach (CredentialPlace place in _places) place.Remove(fields);
    }

    public override void Dispose()
    {
        _verifier.Dispose();
        base.Dispose();
    }
}
