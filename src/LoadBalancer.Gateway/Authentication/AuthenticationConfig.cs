using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>What the ways to verify who a request is from have in common.</summary>
public abstract record AuthenticationConfig : PolicyConfig
{
    private const int HeadersMax = 32;

    /// <summary>Whether a request without credential goes on, from nobody known. One with a bad credential is refused all the same. Default false.</summary>
    public bool Optional { get; init; }

    /// <summary>What the client is told it is asked for (RFC 9110 §11.5). Null (default): the policy's name.</summary>
    public string? Realm { get; init; }

    /// <summary>
    /// Header fields for the destination, each with the claim that it is of ("sub", "realm_access.roles"; "*": all of them as JSON). What the client sends under these names, or under
    /// names that a destination may take for them, is taken out of every request.
    /// </summary>
    public IReadOnlyDictionary<string, string> Headers { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>How the values are written. Default <see cref="HeaderEncoding.Percent"/>.</summary>
    public HeaderEncoding HeaderEncoding { get; init; }

    /// <summary>Longest value of a header, in bytes; a longer one refuses the request. Default 4 KiB.</summary>
    public int HeaderBytesMax { get; init; } = 4096;

    /// <summary>Whether the credential is taken out of what is forwarded. Null (default): for API keys, passwords and sessions, which are for us alone; not for tokens and signatures.</summary>
    public bool? RemoveCredential { get; init; }

    /// <summary>Claims that the log tells, beside the subject.</summary>
    public IReadOnlyList<string> LogClaims { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Where it is said which tokens, subjects and keys are no longer good. Null (default): nowhere.</summary>
    public SourceConfig? Revoked { get; init; }

    /// <summary>Status of the answer when keys, users or the revocation list cannot be had, or there is no time to look: 503 (default) or 401. Never is anybody let in.</summary>
    public int UnavailableStatus { get; init; } = 503;

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        if (Realm is not null && (Realm.Length > 200 || Realm.Any(c => c is < ' ' or > '~' or '"' or '\\'))) problems.Add("realm", "has quotes, backslashes, control characters or what is no ASCII, or more than 200 characters");
        if (Headers.Count > HeadersMax) problems.Add("headers", $"has {Headers.Count} entries; expected at most {HeadersMax}");
        foreach ((string name, string claim) in Headers)
        {
            string path = ConfigPath.Member("headers", name);
            if (!HttpSyntax.IsToken(name)) problems.Add(path, $"{CharacterText.Quote(name)} is no header name; expected letters, digits and \"-\"");
            else if (HeaderFields.IsConnections(Encoding.ASCII.GetBytes(name)) || name.Equals("host", StringComparison.OrdinalIgnoreCase)) problems.Add(path, $"\"{name}\" is set by the balancer itself");
            else if (CredentialFields.Contains(name, StringComparer.OrdinalIgnoreCase)) problems.Add(path, "would take the credential out before it is looked at");
            if (claim.Length == 0) problems.Add(path, "names no claim");
        }
        problems.Range("headerBytesMax", HeaderBytesMax, AuthenticationRanges.HeaderBytes);
        if (UnavailableStatus is not (401 or 503)) problems.Add("unavailableStatus", $"{UnavailableStatus} is not 401 or 503");
        Revoked?.Validate<RevocationList>("revoked", problems, SourceSet.RevocationsBytesMax, RevocationList.TryRead);
    }

    /// <inheritdoc/>
    protected internal override bool UsesRedis => Sources.Any(source => source?.RedisKey is not null);

    /// <summary>What it follows; null for what it does not.</summary>
    private protected virtual IEnumerable<SourceConfig?> Sources => [Revoked];

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => this with { Revoked = Revoked?.InDirectory(directory) };

    /// <inheritdoc/>
    protected internal sealed override IRoutePolicy Create(PolicyServices services) => CreatePolicy(services);

    /// <summary>Fields in which a credential may stand.</summary>
    internal virtual IEnumerable<string> CredentialFields => ["authorization", "cookie"];

    private protected abstract AuthenticationPolicy CreatePolicy(PolicyServices services);

    internal AuthenticationPolicy CreateFor(PolicyServices services) => CreatePolicy(services);
}
