using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Somebody whose tokens are accepted, and which of them.</summary>
public sealed record IssuerConfig
{
    private const string Base64Prefix = "base64:";

    /// <summary>Where the keys are: a JSON Web Key Set (RFC 7517 §5) by URL or in a file.</summary>
    public SourceConfig? Jwks { get; init; }

    /// <summary>The key itself in place of a set: PEM of a public key or a certificate.</summary>
    public string? Key { get; init; }

    /// <summary>The shared secret in place of a set, 32 bytes or more: its UTF-8, or after "base64:" what that stands for.</summary>
    public string? Secret { get; init; }

    /// <summary>Algorithms that keys may be used with. Empty (default): what a key says itself ("alg"), else RS256 for RSA, that of its curve for EC and Ed25519, HS256 for a secret.</summary>
    public IReadOnlyList<string> Algorithms { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Who the tokens must be for: one of these in "aud". "*": anybody.</summary>
    public IReadOnlyList<string> Audiences { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Types that tokens must have ("typ"). Empty (default): "JWT", "at+jwt" or none.</summary>
    public IReadOnlyList<string> Types { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Claims that tokens must have, each with a value; "*" for any, several with "|" between them.</summary>
    public IReadOnlyDictionary<string, string> Required { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Whether tokens must end ("exp"). Default true.</summary>
    public bool RequireExpiry { get; init; } = true;

    /// <summary>By how much clocks may differ. Default 60 s.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time since "iat". <see cref="TimeSpan.Zero"/> (default): any.</summary>
    public TimeSpan MaxAge { get; init; }

    /// <summary>How long a token waits for keys that are fetched for it. Default 2 s.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(2);

    internal void Validate(string path, PolicyProblems problems)
    {
        int ways = (Jwks is null ? 0 : 1) + (Key is null ? 0 : 1) + (Secret is null ? 0 : 1);
        if (ways != 1) problems.Add(path, ways == 0 ? "has no keys; expected one of \"jwks\", \"key\" and \"secret\"" : "has keys from several places; expected one of \"jwks\", \"key\" and \"secret\"");
        Jwks?.Validate<KeySet>($"{path}.jwks", problems, SourceSet.KeysBytesMax, new JwksReader(Parsed, takesSecrets: !Jwks.IsUrl).TryRead);
        if (Jwks?.RedisKey is not null) problems.Add($"{path}.jwks", "is a set of lines in Redis, which is no key set; expected a URL or a file");
        for (int i = 0; i < Algorithms.Count; i++)
        {
            if (SignatureAlgorithmNames.Parse(Algorithms[i]) == SignatureAlgorithms.None)
                problems.Add(ConfigPath.Item($"{path}.algorithms", i), $"{CharacterText.Quote(Algorithms[i])} is no algorithm; expected {string.Join(", ", SignatureAlgorithmNames.All)}");
        }
        if (Jwks is { IsUrl: true } && (Parsed & SignatureAlgorithms.Hmac) != 0) problems.Add($"{path}.algorithms", "takes a shared secret (HS) from a URL, where everybody can read it; give the \"secret\"");
        if (Key is not null && FixedKey(out string problem) is null) problems.Add($"{path}.key", problem);
        if (Secret is not null && FixedKey(out problem) is null) problems.Add($"{path}.secret", problem);
        if (Audiences.Count == 0) problems.Add($"{path}.audiences", "is missing: a token for somebody else would be accepted (RFC 8725 §3.9); write \"*\" where that is meant");
        problems.Range($"{path}.clockSkew", ClockSkew, AuthenticationRanges.ClockSkew);
        problems.Range($"{path}.maxAge", MaxAge, AuthenticationRanges.TokenAge);
        problems.Range($"{path}.wait", Wait, AuthenticationRanges.Wait);
    }

    internal IssuerConfig InDirectory(string directory) => this with { Jwks = Jwks?.InDirectory(directory) };

    internal TokenIssuer Create(string name, SourceSet sources) => new()
    {
        Name = name == "*" ? null : name,
        Keys = Jwks is not null ? sources.FollowKeys(Jwks, name, Wait, new JwksReader(Parsed, takesSecrets: !Jwks.IsUrl))
            : new FixedKeys(new KeySet([FixedKey(out string problem) ?? throw new InvalidOperationException($"issuer {name}: {problem}")])),
        Audiences = Audiences.Contains("*") ? [] : Audiences,
        Types = Types,
        Required = [.. Required.Select(claim => new RequiredClaim(claim.Key, claim.Value == "*" ? [] : claim.Value.Split('|')))],
        RequiresExpiry = RequireExpiry,
        ClockSkew = ClockSkew,
        AgeMax = MaxAge,
    };

    private SignatureAlgorithms Parsed => Algorithms.Aggregate(SignatureAlgorithms.None, (all, name) => all | SignatureAlgorithmNames.Parse(name));

    private VerificationKey? FixedKey(out string problem)
    {
        if (Key is not null) return PemKeys.Read(Key, null, Parsed, out problem);
        if (TryReadSecret(Secret!, out byte[] secret)) return PemKeys.OfSecret(secret, null, Parsed, out problem);
        problem = "is no base64 behind \"base64:\"";
        return null;
    }

    /// <summary>The bytes of a secret as the configuration writes it.</summary>
    internal static bool TryReadSecret(string text, out byte[] secret)
    {
        secret = [];
        if (!text.StartsWith(Base64Prefix, StringComparison.Ordinal))
        {
            secret = Encoding.UTF8.GetBytes(text);
            return true;
        }
        string base64 = text[Base64Prefix.Length..].Trim();
        byte[] buffer = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, buffer, out int length)) return false;
        secret = buffer[..length];
        return true;
    }

    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Jwks = ").Append(Jwks?.From).Append(", Audiences = ").AppendJoin('|', Audiences);
        return true;
    }
}
