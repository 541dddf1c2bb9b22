using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity.ApiKeys;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies API keys, of which only hashes are kept.</summary>
public sealed record ApiKeyConfig : AuthenticationConfig
{
    /// <summary>A file or URL of keys: "ID:HASH" per line, then attributes ("owner=alice roles=reader,writer expires=2027-01-31"). Null (default): none.</summary>
    public SourceConfig? Keys { get; init; }

    /// <summary>Keys by id, each as in such a line behind its "ID:".</summary>
    public IReadOnlyDictionary<string, string> Hashes { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Where the key may stand: "header:NAME", "authorization:SCHEME", "bearer", "cookie:NAME". Default "header:X-Api-Key". Not in the query: that is in everybody's log.</summary>
    public IReadOnlyList<string> From { get; init => field = ConfigList<string>.Of(value); } = ConfigList<string>.Of(["header:X-Api-Key"]);

    private protected override IEnumerable<SourceConfig?> Sources => [Revoked, Keys];

    /// <inheritdoc/>
    public override string Kind => "apiKey";

    internal override IEnumerable<string> CredentialFields => base.CredentialFields.Concat(From.Where(place => place.StartsWith("header:", StringComparison.Ordinal)).Select(place => place["header:".Length..]));

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        base.Validate(problems);
        if (Keys is null == (Hashes.Count == 0)) problems.Add("", Keys is null ? "has no keys; expected \"keys\" or \"hashes\"" : "has keys from two places; expected one of \"keys\" and \"hashes\"");
        Keys?.Validate<ApiKeyTable>("keys", problems, SourceSet.ApiKeysBytesMax, ApiKeyTable.TryRead);
        if (Table(out string problem) is null) problems.Add("hashes", problem);
        CredentialPlace.Validate(From, problems);
    }

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => (ApiKeyConfig)base.InDirectory(directory) with { Keys = Keys?.InDirectory(directory) };

    internal ApiKeyTable? Table(out string problem) =>
        ApiKeyTable.TryRead(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', Hashes.Select(key => $"{key.Key}:{key.Value}"))), out ApiKeyTable? table, out problem) ? table : null;

    private protected override AuthenticationPolicy CreatePolicy(PolicyServices services) => new ApiKeyPolicy(this, services);
}
