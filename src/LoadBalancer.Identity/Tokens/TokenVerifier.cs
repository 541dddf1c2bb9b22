using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Identity.Tokens;

/// <summary>
/// Verifies signed tokens: JWS in compact form (RFC 7515 §3.1) with claims (RFC 7519), by the practices of RFC 8725. Header and claims are read by strict readers of our own,
/// signatures are verified by Microsoft.IdentityModel. Thread-safe.
/// </summary>
public sealed class TokenVerifier : IDisposable
{
    /// <summary>Longest token that is looked at by default, in bytes.</summary>
    public const int TokenBytesMaxDefault = 16 * 1024;

    private readonly TokenIssuer[] _issuers;
    private readonly IRevocations? _revocations;
    private readonly VerifiedCache? _cache;
    private readonly TimeProvider _time;
    private readonly int _tokenBytesMax;

    /// <param name="issuers">Whose tokens are accepted, in the order in which they are asked where several have the same name.</param>
    /// <param name="cache">For tokens that come again; null for none. Of this verifier alone.</param>
    /// <param name="revocations">What is revoked; null for nothing.</param>
    /// <param name="time">The clock.</param>
    /// <param name="tokenBytesMax">Longest token that is looked at.</param>
    public TokenVerifier(IReadOnlyList<TokenIssuer> issuers, VerifiedCache? cache, IRevocations? revocations, TimeProvider time, int tokenBytesMax = TokenBytesMaxDefault)
    {
        // Those with a name first: a token of theirs is not for who takes any.
        _issuers = [.. issuers.OrderBy(issuer => issuer.Name is null)];
        (_cache, _revocations, _time, _tokenBytesMax) = (cache, revocations, time, tokenBytesMax);
        if (cache is null) return;
        foreach (TokenIssuer issuer in _issuers) issuer.Keys.Changed += cache.Clear;
        if (revocations is not null) revocations.Changed += cache.Clear;
    }

    /// <summary>Verifies a token. Done at once, but where keys have to be fetched for it.</summary>
    // Hot path: per request. A token that was verified before: 0 allocations, see bench/results/identity.md.
    public ValueTask<VerificationResult> VerifyAsync(ReadOnlySpan<byte> token)
    {
        VerificationResult result = Verify(token, mayFetch: true, out Task? fetch);
        return fetch is null ? new(result) : VerifyAfterAsync(fetch, token.ToArray());
    }

    private async ValueTask<VerificationResult> VerifyAfterAsync(Task fetch, byte[] token)
    {
        await fetch.ConfigureAwait(false);
        return Verify(token, mayFetch: false, out _);
    }

    private VerificationResult Verify(ReadOnlySpan<byte> token, bool mayFetch, out Task? fetch)
    {
        fetch = null;
        if (token.Length > _tokenBytesMax) return VerificationResult.Failed(FailureReason.CredentialTooLarge);
        long now = _time.GetUtcNow().ToUnixTimeSeconds();
        if (_cache is not null && _cache.TryGet(token, now, out Principal? known)) return VerificationResult.Of(known);
        // Before the keys and the list are read: what is verified by them is not kept when they change meanwhile.
        int generation = _cache?.Generation ?? 0;
        VerificationResult result = VerifyNew(token, now, mayFetch, out long untilSeconds, out fetch);
        if (result.IsVerified) _cache?.Add(token, result.Principal, untilSeconds, generation);
        return result;
    }

    private VerificationResult VerifyNew(ReadOnlySpan<byte> token, long now, bool mayFetch, out long untilSeconds, out Task? fetch)
    {
        fetch = null;
        untilSeconds = 0;
        int first = token.IndexOf((byte)'.'), last = token.LastIndexOf((byte)'.');
        int dots = token.Count((byte)'.');
        if (dots == 4) return VerificationResult.Failed(FailureReason.TokenEncrypted); // RFC 7516 §3.1
        if (dots != 2 || !StrictBase64Url.TryDecode(token[..first], out byte[] headerJson) || !StrictBase64Url.TryDecode(token[(first + 1)..last], out byte[] claimsJson)
            || !StrictBase64Url.TryDecode(token[(last + 1)..], out byte[] signature))
            return VerificationResult.Failed(FailureReason.TokenMalformed);
        FailureReason reason = JoseHeader.TryRead(headerJson, out JoseHeader header);
        if (reason != FailureReason.None) return VerificationResult.Failed(reason);
        // The claims are read before the signature is verified, as "iss" says whose keys may have made it. Until then nothing is done with them but that.
        if (Principal.Read(Schemes.Jwt, claimsJson, header.KeyId) is not { } principal) return VerificationResult.Failed(FailureReason.ClaimsMalformed);
        if (Find(principal.Issuer) is not { } issuer) return VerificationResult.Failed(FailureReason.UnknownIssuer);
        if (!issuer.Accepts(header.Type)) return VerificationResult.Failed(FailureReason.WrongType);

        byte[] signed = token[..last].ToArray();
        reason = Verify(issuer.Keys, header, signed, signature, mayFetch, out fetch);
        if (reason != FailureReason.None) return VerificationResult.Failed(reason);
        VerificationResult result = ClaimChecks.Check(principal, issuer, now, out untilSeconds);
        if (!result.IsVerified || _revocations is null) return result;
        if (_revocations.Current is not { } list) return VerificationResult.Failed(FailureReason.RevocationUnavailable);
        return list.Contains(principal) ? VerificationResult.Failed(FailureReason.Revoked) : result;
    }

    private static FailureReason Verify(IKeySource source, in JoseHeader header, byte[] signed, byte[] signature, bool mayFetch, out Task? fetch)
    {
        fetch = null;
        KeySet? keys = source.Current;
        FailureReason reason = keys is null ? FailureReason.KeysUnavailable
            : keys.Verify(header.KeyId, header.Algorithm, signed, signed.Length, signature, out _);
        // A signature that is bad by a key of that name is bad; only a name that nobody has is worth a fetch.
        if (mayFetch && (reason == FailureReason.KeysUnavailable || reason == FailureReason.UnknownKey && header.KeyId is not null))
            fetch = source.TryRefetch(keys is null ? null : header.KeyId);
        return reason;
    }

    private TokenIssuer? Find(string? name)
    {
        foreach (TokenIssuer issuer in _issuers)
            if (issuer.Name is null || string.Equals(issuer.Name, name, StringComparison.Ordinal)) return issuer;
        return null;
    }

    /// <summary>Looks no longer at what the keys and the list do. They are their owner's.</summary>
    public void Dispose()
    {
        if (_cache is null) return;
        foreach (TokenIssuer issuer in _issuers) issuer.Keys.Changed -= _cache.Clear;
        if (_revocations is not null) _revocations.Changed -= _cache.Clear;
    }
}
