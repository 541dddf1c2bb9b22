using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity.Sessions;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies sessions: signed cookies, made by who knows the secret (see <see cref="SessionCodec"/>).</summary>
public sealed record SessionConfig : AuthenticationConfig
{
    /// <summary>Secrets by name, 32 bytes or more each: UTF-8, or after "base64:" what that stands for. All are accepted, so that they can be changed.</summary>
    public IReadOnlyDictionary<string, string> Keys { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Name of the cookie. Default "session".</summary>
    public string Cookie { get; init; } = "session";

    /// <summary>Sessions that are remembered when they were verified; 0 for none. Default 4,096.</summary>
    public int Cache { get; init; } = 4096;

    /// <inheritdoc/>
    public override string Kind => "session";

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        base.Validate(problems);
        if (Keys.Count is 0 or > 16) problems.Add("keys", $"names {Keys.Count} keys; expected 1 to 16");
        foreach ((string id, string secret) in Keys)
        {
            string path = ConfigPath.Member("keys", id);
            if (!IssuerConfig.TryReadSecret(secret, out byte[] bytes)) problems.Add(path, "is no base64 behind \"base64:\"");
            else if (new SessionKey(id, bytes).Problem is { } problem) problems.Add(path, problem);
        }
        if (!HttpSyntax.IsToken(Cookie)) problems.Add("cookie", $"{CharacterText.Quote(Cookie)} is no name of a cookie; expected letters, digits and \"-\"");
        problems.Range("cache", Cache, AuthenticationRanges.Cached);
    }

    private protected override AuthenticationPolicy CreatePolicy(PolicyServices services) => new SessionPolicy(this, services);

    internal IReadOnlyList<SessionKey> Secrets() =>
        [.. Keys.Select(key => new SessionKey(key.Key, IssuerConfig.TryReadSecret(key.Value, out byte[] bytes) ? bytes : throw new InvalidOperationException($"the secret of {key.Key} is no base64")))];
}
