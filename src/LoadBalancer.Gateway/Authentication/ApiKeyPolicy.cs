using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity;
using LoadBalancer.Identity.ApiKeys;
using LoadBalancer.Identity.Following;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies API keys.</summary>
internal sealed class ApiKeyPolicy : AuthenticationPolicy
{
    private readonly IReadOnlyList<CredentialPlace> _places;
    private readonly ApiKeyVerifier _verifier;

    internal ApiKeyPolicy(ApiKeyConfig config, PolicyServices services) : base(config, services, ChallengeOf(config), removesCredential: true)
    {
        _places = CredentialPlace.ParseAll(config.From);
        Func<ApiKeyTable?> table;
        if (config.Keys is not null)
        {
            Followed<ApiKeyTable> followed = Sources.Follow<ApiKeyTable>(config.Keys, "the API keys", SourceSet.ApiKeysBytesMax, ApiKeyTable.TryRead);
            table = () => followed.Current;
        }
        else
        {
            ApiKeyTable own = config.Table(out string problem) ?? throw new InvalidOperationException($"policy {services.Name}: {problem}");
            table = () => own;
        }
        _verifier = new ApiKeyVerifier(table, Revocations, services.Time);
    }

    internal override ValueTask<VerificationResult> VerifyAsync(RequestContext context)
    {
        FailureReason reason = CredentialPlace.Find(_places, context.Fields, out ReadOnlySpan<byte> key);
        return new(reason == FailureReason.None ? _verifier.Verify(key) : VerificationResult.Failed(reason));
    }

    protected override void RemoveCredential(HeaderFields fields)
    {
        foreach (CredentialPlace place in _places) place.Remove(fields);
    }

    // There is no registered scheme: where the key stands is what a client has to know.
    private static string ChallengeOf(ApiKeyConfig config)
    {
        const string Scheme = "authorization:";
        string first = config.From[0];
        if (first == "bearer") return "Bearer";
        return first.StartsWith(Scheme, StringComparison.Ordinal) ? first[Scheme.Length..] : $"ApiKey in=\"{first.Replace(':', ' ')}\"";
    }
}
