using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Identity;

/// <summary>Who a request is from, as one scheme has verified it: a subject, and what is claimed of it. Immutable; shared by all requests with the same credential.</summary>
public sealed class Principal
{
    private readonly Dictionary<string, Claim> _claims;
    private object? _companion;

    private Principal(string scheme, ReadOnlyMemory<byte> json, Dictionary<string, Claim> claims)
    {
        Scheme = scheme;
        Json = json;
        _claims = claims;
        Subject = TextOf("sub");
        Issuer = TextOf("iss");
        TokenId = TextOf("jti");
    }

    /// <summary>How it was verified: "jwt", "apiKey", "basic", "signature", "session", "clientCertificate".</summary>
    public string Scheme { get; }

    /// <summary>Who it is, to its issuer ("sub"); null when the credential does not say.</summary>
    public string? Subject { get; }

    /// <summary>Who says so ("iss"); null when the credential does not say.</summary>
    public string? Issuer { get; }

    /// <summary>The credential's own name ("jti"); null when it has none.</summary>
    public string? TokenId { get; }

    /// <summary>The name of the key that has signed, or of the API key; null when it has none.</summary>
    public string? KeyId { get; private init; }

    /// <summary>When the credential ends, in seconds since 1970, without any skew. <see cref="long.MaxValue"/>: never.</summary>
    public long ExpiresAtSeconds { get; private init; } = long.MaxValue;

    /// <summary>All claims as a JSON object in UTF-8, as they were written.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>All claims, those in objects too.</summary>
    public IReadOnlyCollection<Claim> Claims => _claims.Values;

    /// <summary>What its owner has made of it and wants to find again. Not looked at here; any thread, the last one set stays.</summary>
    public object? Companion
    {
        get => Volatile.Read(ref _companion);
        set => Volatile.Write(ref _companion, value);
    }

    /// <summary>A claim by name; of a claim in an object with the names above it, with dots ("realm_access.roles"). Does not allocate.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Claim? claim) => _claims.TryGetValue(name, out claim);

    /// <summary>Whether a claim has this value, or is a list with it. Does not allocate.</summary>
    public bool Has(string name, string value) => TryGet(name, out Claim? claim) && claim.Has(value);

    /// <summary>For the log.</summary>
    public override string ToString() => Issuer is null ? $"{Scheme}:{Subject}" : $"{Scheme}:{Subject}@{Issuer}";

    /// <summary>Of a JSON object; null when it is none that is accepted, or a registered claim is not a string (RFC 7519 §4.1) or "exp" no time.</summary>
    /// <param name="scheme">How it was verified.</param>
    /// <param name="json">Is kept: must not change.</param>
    /// <param name="keyId">The key that has signed.</param>
    internal static Principal? Read(string scheme, ReadOnlyMemory<byte> json, string? keyId)
    {
        if (!ClaimSet.TryRead(json, out Dictionary<string, Claim>? claims)) return null;
        foreach (string name in (ReadOnlySpan<string>)["sub", "iss", "jti"])
            if (claims.TryGetValue(name, out Claim? claim) && claim.Kind != ClaimKind.Text) return null;
        long expires = long.MaxValue;
        if (claims.TryGetValue("exp", out Claim? end) && !end.TryGetSeconds(out expires)) return null;
        return new Principal(scheme, json, claims) { KeyId = keyId, ExpiresAtSeconds = expires };
    }

    private string? TextOf(string name) => TryGet(name, out Claim? claim) ? claim.Text : null;
}
