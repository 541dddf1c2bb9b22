using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Sessions;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies sessions.</summary>
internal sealed class SessionPolicy : AuthenticationPolicy
{
    private readonly CredentialPlace[] _places;
    private readonly SessionCodec _codec;

    internal SessionPolicy(SessionConfig config, PolicyServices services) : base(config, services, "Cookie", removesCredential: true)
    {
        _places = [CredentialPlace.Parse($"cookie:{config.Cookie}", out _)!];
        _codec = new SessionCodec(config.Secrets(), config.Cache > 0 ? new VerifiedCache(config.Cache) : null, Revocations, services.Time);
    }

    internal override ValueTask<VerificationResult> VerifyAsync(RequestContext context)
    {
        FailureReason reason = CredentialPlace.Find(_places, context.Fields, out ReadOnlySpan<byte> session);
        return new(reason == FailureReason.None ? _codec.Verify(session) : VerificationResult.Failed(reason));
    }

    protected override void RemoveCredential(HeaderFields fields) => _places[0].Remove(fields);
}
