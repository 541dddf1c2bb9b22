using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoadBalancer.Identity.Revocation;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Identity.Sessions;

/// <summary>
/// Sessions in a cookie: "v1.KEY.CLAIMS.MAC", where CLAIMS is base64url of a JSON object with "iat" and "exp", and MAC that of HMAC-SHA-256 over all before its dot. Signed, not
/// encrypted: the client can read it. The first key signs, all verify, so that keys rotate without anybody losing a session. Thread-safe.
/// </summary>
public sealed class SessionCodec
{
    /// <summary>Longest session that is looked at, in bytes: what browsers keep of a cookie (RFC 6265 §6.1).</summary>
    public const int SessionBytesMax = 4096;

    private const string Version = "v1";

    private readonly SessionKey[] _keys;
    private readonly VerifiedCache? _cache;
    private readonly IRevocations? _revocations;
    private readonly TimeProvider _time;

    /// <param name="keys">At least one, none with a <see cref="SessionKey.Problem"/>.</param>
    /// <param name="cache">For sessions that come again; null for none. Of this codec alone.</param>
    /// <param name="revocations">What is revoked; null for nothing.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">No key, or one that is not good.</exception>
    public SessionCodec(IReadOnlyList<SessionKey> keys, VerifiedCache? cache, IRevocations? revocations, TimeProvider time)
    {
        if (keys.Count == 0 || keys.Any(key => key.Problem is not null)) throw new ArgumentException("a key is needed, and each must be good", nameof(keys));
        (_keys, _cache, _revocations, _time) = ([.. keys], cache, revocations, time);
        if (cache is not null && revocations is not null) revocations.Changed += cache.Clear;
    }

    /// <summary>Makes a session.</summary>
    /// <param name="principal">Whose: all its claims but the times.</param>
    /// <param name="lifetime">How long it is good.</param>
    /// <exception cref="ArgumentException">The claims do not fit into a cookie.</exception>
    public string Issue(Principal principal, TimeSpan lifetime)
    {
        long now = _time.GetUtcNow().ToUnixTimeSeconds();
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("iat", now);
            json.WriteNumber("exp", now + (long)lifetime.TotalSeconds);
            var reader = new Utf8JsonReader(principal.Json.Span);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (name is "iat" or "exp") continue;
                json.WritePropertyName(name);
                json.WriteRawValue(principal.Json.Span[start..(int)reader.BytesConsumed]);
            }
            json.WriteEndObject();
        }
        SessionKey key = _keys[0];
        string signed = $"v1.{key.Id}.{StrictBase64Url.Encode(buffer.WrittenSpan)}";
        string session = signed + "." + StrictBase64Url.Encode(HMACSHA256.HashData(key.Secret.Span, Encoding.ASCII.GetBytes(signed)));
        return session.Length <= SessionBytesMax ? session : throw new ArgumentException($"the session has {session.Length} bytes: a cookie holds {SessionBytesMax}", nameof(principal));
    }

    /// <summary>Verifies a session.</summary>
    // Hot path: per request. 0 allocations for one that was verified before.
    public VerificationResult Verify(ReadOnlySpan<byte> session)
    {
        if (session.Length > SessionBytesMax) return VerificationResult.Failed(FailureReason.CredentialTooLarge);
        long now = _time.GetUtcNow().ToUnixTimeSeconds();
        if (_cache is not null && _cache.TryGet(session, now, out Principal? known)) return VerificationResult.Of(known);
        int generation = _cache?.Generation ?? 0;
        VerificationResult result = VerifyNew(session, now);
        if (result.IsVerified) _cache?.Add(session, result.Principal, result.Principal.ExpiresAtSeconds, generation);
        return result;
    }

    private VerificationResult VerifyNew(ReadOnlySpan<byte> session, long now)
    {
        int keyAt = session.IndexOf((byte)'.') + 1, macAt = session.LastIndexOf((byte)'.') + 1;
        int claimsAt = keyAt + session[keyAt..].IndexOf((byte)'.') + 1;
        if (session.Count((byte)'.') != 3 || !session[..keyAt].SequenceEqual("v1."u8)) return VerificationResult.Failed(FailureReason.CredentialMalformed);
        if (Find(session[keyAt..(claimsAt - 1)]) is not { } key) return VerificationResult.Failed(FailureReason.UnknownKey);
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key.Secret.Span, session[..(macAt - 1)], expected);
        if (!StrictBase64Url.TryDecode(session[macAt..], out byte[] mac) || !CryptographicOperations.FixedTimeEquals(mac, expected)) return VerificationResult.Failed(FailureReason.BadSignature);
        // From here on it is our own text; keys may have been shared with who writes another.
        if (!StrictBase64Url.TryDecode(session[claimsAt..(macAt - 1)], out byte[] json) || Principal.Read(Schemes.Session, json, key.Id) is not { } principal
            || !principal.TryGet("iat", out Claim? issued) || !issued.TryGetSeconds(out long issuedAt))
            return VerificationResult.Failed(FailureReason.ClaimsMalformed);
        if (principal.ExpiresAtSeconds == long.MaxValue) return VerificationResult.Failed(FailureReason.NoExpiry);
        if (now >= principal.ExpiresAtSeconds) return VerificationResult.Failed(FailureReason.Expired);
        if (issuedAt > now + 60) return VerificationResult.Failed(FailureReason.IssuedInFuture); // clocks of balancers differ a little
        if (_revocations is null) return VerificationResult.Of(principal);
        if (_revocations.Current is not { } list) return VerificationResult.Failed(FailureReason.RevocationUnavailable);
        return list.Contains(principal) ? VerificationResult.Failed(FailureReason.Revoked) : VerificationResult.Of(principal);
    }

    private SessionKey? Find(ReadOnlySpan<byte> id)
    {
        foreach (SessionKey key in _keys)
            if (id.SequenceEqual(key.IdBytes)) return key;
        return null;
    }
}
