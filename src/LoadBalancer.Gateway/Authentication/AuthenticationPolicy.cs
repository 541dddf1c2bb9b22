using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>
/// Verifies who a request is from, says so to later policies, the log and the destination, or refuses it. Each way to verify is a class of its own.
/// </summary>
internal abstract class AuthenticationPolicy : IRequestPolicy, IDisposable
{
    private readonly AuthenticationConfig _config;
    private readonly IdentityHeaders _headers;
    private readonly bool _removesCredential;

    /// <param name="config">What the configuration says.</param>
    /// <param name="services">Of the policy.</param>
    /// <param name="challenge">What is asked for, without a realm; null for nothing.</param>
    /// <param name="removesCredential">Whether the credential is taken out where the configuration does not say.</param>
    protected AuthenticationPolicy(AuthenticationConfig config, PolicyServices services, string? challenge, bool removesCredential)
    {
        _config = config;
        _headers = new IdentityHeaders(config.Headers, config.HeaderEncoding, config.HeaderBytesMax);
        _removesCredential = config.RemoveCredential ?? removesCredential;
        Services = services;
        Sources = new SourceSet(services);
        Revocations = Sources.FollowRevocations(config.Revoked);
        Answers = new AuthenticationAnswers(config.Kind, challenge is null ? [] : [WithRealm(challenge, config.Realm ?? services.Name)], hasBearer: challenge == "Bearer", config.UnavailableStatus);
    }

    internal AuthenticationAnswers Answers { get; }

    protected PolicyServices Services { get; }

    protected SourceSet Sources { get; }

    protected IRevocations? Revocations { get; }

    // Hot path: per request. 0 allocations for a credential that was verified before.
    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        Strip(context);
        ValueTask<VerificationResult> verifying = VerifyAsync(context);
        return verifying.IsCompletedSuccessfully ? new(Conclude(context, verifying.Result)) : ConcludeAsync(context, verifying);
    }

    /// <summary>Takes out what only this policy may set.</summary>
    internal void Strip(RequestContext context) => _headers.Strip(context.Fields, context.Identity as VerifiedIdentity);

    /// <summary>Verifies the credential. What it does not have to wait for it does at once.</summary>
    internal abstract ValueTask<VerificationResult> VerifyAsync(RequestContext context);

    /// <summary>Takes the credential out of the request.</summary>
    protected abstract void RemoveCredential(HeaderFields fields);

    /// <summary>Has the request go on from whom it is, or not at all.</summary>
    internal PolicyAnswer? Conclude(RequestContext context, in VerificationResult result)
    {
        if (!result.IsVerified) return result.Reason == FailureReason.NoCredential && _config.Optional ? null : Answers.Of(result.Reason, result.Detail);
        Principal principal = result.Principal;
        if (principal.Companion is not VerifiedIdentity identity) principal.Companion = identity = _headers.Make(principal);
        if (identity.Problem is not null) return Answers.Of(FailureReason.ClaimsMalformed, identity.Problem);
        if (_removesCredential) RemoveCredential(context.Fields);
        IdentityHeaders.Set(context.Fields, identity);
        context.Identity = identity;
        foreach (string claim in _config.LogClaims)
            if (identity.GetClaim(claim) is { } value) context.AddLogField(claim, value);
        return null;
    }

    /// <summary>Looks for what was verified on the revocation list.</summary>
    protected VerificationResult Unrevoked(VerificationResult result)
    {
        if (!result.IsVerified || Revocations is null) return result;
        if (Revocations.Current is not { } list) return VerificationResult.Failed(FailureReason.RevocationUnavailable);
        return list.Contains(result.Principal) ? VerificationResult.Failed(FailureReason.Revoked) : result;
    }

    private async ValueTask<PolicyAnswer?> ConcludeAsync(RequestContext context, ValueTask<VerificationResult> verifying) =>
        Conclude(context, await verifying.ConfigureAwait(false));

    private static string WithRealm(string challenge, string realm)
    {
        int space = challenge.IndexOf(' ', StringComparison.Ordinal);
        return space < 0 ? $"{challenge} realm=\"{realm}\"" : $"{challenge[..space]} realm=\"{realm}\", {challenge[(space + 1)..]}";
    }

    /// <summary>Ends what it follows.</summary>
    public virtual void Dispose() => Sources.Dispose();
}
