using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies signed tokens (RFC 7519).</summary>
public sealed record JwtConfig : AuthenticationConfig
{
    /// <summary>Whose tokens are accepted, by "iss"; "*": any other issuer, or none.</summary>
    public IReadOnlyDictionary<string, IssuerConfig> Issuers { get; init => field = ConfigMap<IssuerConfig>.Of(value); } = ConfigMap<IssuerConfig>.Empty;

    /// <summary>Where the token may stand: "bearer" (default; RFC 6750 §2.1), "header:NAME", "cookie:NAME". More than one token is refused.</summary>
    public IReadOnlyList<string> From { get; init => field = ConfigList<string>.Of(value); } = ConfigList<string>.Of(["bearer"]);

    /// <summary>Tokens that are remembered when they were verified, each with its claims; 0 for none. Default 4,096.</summary>
    public int Cache { get; init; } = 4096;

    /// <summary>Longest token that is looked at, in bytes. Default 16 KiB.</summary>
    public int TokenBytesMax { get; init; } = 16 * 1024;

    /// <inheritdoc/>
    public override string Kind => "jwt";

    internal override IEnumerable<string> CredentialFields => base.CredentialFields.Concat(From.Where(place => place.StartsWith("header:", StringComparison.Ordinal)).Select(place => place["header:".Length..]));

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        base.Validate(problems);
        if (Issuers.Count is 0 or > 64) problems.Add("issuers", $"names {Issuers.Count} issuers; expected 1 to 64");
        foreach ((string name, IssuerConfig issuer) in Issuers) issuer.Validate(ConfigPath.Member("issuers", name), problems);
        CredentialPlace.Validate(From, problems);
        problems.Range("cache", Cache, AuthenticationRanges.Cached);
        problems.Range("tokenBytesMax", TokenBytesMax, AuthenticationRanges.TokenBytes);
    }

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) =>
        (JwtConfig)base.InDirectory(directory) with { Issuers = Issuers.ToDictionary(issuer => issuer.Key, issuer => issuer.Value.InDirectory(directory), StringComparer.Ordinal) };

    private protected override AuthenticationPolicy CreatePolicy(PolicyServices services) => new JwtPolicy(this, services);
}
