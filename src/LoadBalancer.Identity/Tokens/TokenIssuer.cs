using LoadBalancer.Identity.Keys;

namespace LoadBalancer.Identity.Tokens;

/// <summary>Somebody whose tokens are accepted, and which of them. Immutable.</summary>
public sealed record TokenIssuer
{
    /// <summary>"iss" exactly; null: any, or none. Of several issuers the one with the name comes first.</summary>
    public string? Name { get; init; }

    /// <summary>The keys. A token is verified with those of its issuer alone (RFC 8725 §3.8).</summary>
    public required IKeySource Keys { get; init; }

    /// <summary>One of these must be in "aud" (RFC 7519 §4.1.3). Empty: "aud" is not looked at.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Types of tokens ("typ", RFC 8725 §3.11), one of which the token must have. Empty (default): "JWT", "at+jwt" (RFC 9068) or none.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Claims that tokens must have.</summary>
    public IReadOnlyList<RequiredClaim> Required { get; init; } = [];

    /// <summary>Whether "exp" must be there. Default true.</summary>
    public bool RequiresExpiry { get; init; } = true;

    /// <summary>By how much clocks may differ. Default 60 s.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time since "iat", which then must be there. <see cref="TimeSpan.Zero"/> (default): any.</summary>
    public TimeSpan AgeMax { get; init; }

    internal bool Accepts(string? type)
    {
        if (Types.Count == 0) return type is null || Is(type, "JWT") || Is(type, "at+jwt");
        foreach (string accepted in Types)
            if (type is not null && Is(type, JoseHeader.Bare(accepted))) return true;
        return false;
    }

    // RFC 7515 §4.1.9: media types, which are the same in any case.
    private static bool Is(string type, string accepted) => string.Equals(type, accepted, StringComparison.OrdinalIgnoreCase);
}
