using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Identity.Signatures;

/// <summary>
/// Verifies signed requests: HTTP Message Signatures (RFC 9421) by hmac-sha256. One good signature of several is enough. Thread-safe.
/// </summary>
public sealed class SignatureVerifier
{
    private const int FieldLengthMax = 8 * 1024, SignaturesMax = 4, NonceLengthMax = 256;

    private readonly FrozenDictionary<string, SignatureKey> _keys;
    private readonly SignatureOptions _options;
    private readonly ReplayGuard? _replays;
    private readonly IRevocations? _revocations;
    private readonly TimeProvider _time;

    /// <param name="keys">Who may sign.</param>
    /// <param name="options">What must be signed.</param>
    /// <param name="revocations">What is revoked; null for nothing.</param>
    /// <param name="time">The clock.</param>
    public SignatureVerifier(IEnumerable<SignatureKey> keys, SignatureOptions options, IRevocations? revocations, TimeProvider time)
    {
        _keys = keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);
        (_options, _revocations, _time) = (options, revocations, time);
        if (options.NoncesMax > 0) _replays = new ReplayGuard(options.NoncesMax, options.Lifetime, time);
    }

    /// <summary>Verifies all but the content.</summary>
    /// <param name="request">The request.</param>
    /// <param name="digest">The Content-Digest that is signed: the content must match it, see <see cref="ContentDigest.Matches"/>; null when none is.</param>
    public VerificationResult Verify(ISignedRequest request, out string? digest)
    {
        digest = null;
        string? inputField = request.Field("signature-input"), signatureField = request.Field("signature");
        if (inputField is null && signatureField is null) return VerificationResult.Failed(FailureReason.NoCredential);
        if (inputField is null || signatureField is null) return VerificationResult.Failed(FailureReason.CredentialMalformed);
        if (inputField.Length > FieldLengthMax || signatureField.Length > FieldLengthMax) return VerificationResult.Failed(FailureReason.CredentialTooLarge);
        if (!SignatureInput.TryRead(inputField, SignaturesMax, out List<SignatureInput>? inputs) || !TryReadSignatures(signatureField, out Dictionary<string, byte[]>? signatures))
            return VerificationResult.Failed(FailureReason.CredentialMalformed);
        VerificationResult result = VerificationResult.Failed(FailureReason.CredentialMalformed);
        foreach (SignatureInput input in inputs)
        {
            if (!signatures.TryGetValue(input.Label, out byte[]? signature)) continue;
            result = Verify(request, input, signature, out digest);
            if (result.IsVerified) break;
            digest = null;
        }
        return result;
    }

    /// <summary>What is signed for these components and parameters (RFC 9421 §2.5); null with the component that the request has not.</summary>
    /// <param name="request">The request.</param>
    /// <param name="components">Names of what is covered.</param>
    /// <param name="parameters">From "(" to the end of a member of Signature-Input.</param>
    /// <param name="missing">What the request has not.</param>
    public static byte[]? BaseOf(ISignedRequest request, IReadOnlyList<string> components, string parameters, out string? missing)
    {
        var text = new StringBuilder();
        foreach (string component in components)
        {
            missing = component;
            if (ValueOf(request, component) is not { } value || value.AsSpan().ContainsAny('\r', '\n')) return null;
            text.Append('"').Append(component).Append("\": ").Append(value).Append('\n');
        }
        missing = null;
        // Fields may have bytes beyond ASCII, which stand for themselves.
        return Encoding.Latin1.GetBytes(text.Append("\"@signature-params\": ").Append(parameters).ToString());
    }

    private VerificationResult Verify(ISignedRequest request, SignatureInput input, byte[] signature, out string? digest)
    {
        digest = null;
        SignatureInput.Parameters given = input.Given;
        if (given.Algorithm is not (null or "hmac-sha256")) return VerificationResult.Failed(FailureReason.AlgorithmNotAllowed);
        if (given.KeyId is null || !_keys.TryGetValue(given.KeyId, out SignatureKey? key)) return VerificationResult.Failed(FailureReason.UnknownKey);
        if (Uncovered(request, input.Components) is { } uncovered) return VerificationResult.Failed(FailureReason.ComponentNotCovered, uncovered);
        if (BaseOf(request, input.Components, input.Text, out _) is not { } signed) return VerificationResult.Failed(FailureReason.ComponentMissing);
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key.Secret.Span, signed, expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, signature)) return VerificationResult.Failed(FailureReason.BadSignature);
        FailureReason reason = CheckTimes(given);
        if (reason != FailureReason.None) return VerificationResult.Failed(reason);
        if (_revocations is not null)
        {
            if (_revocations.Current is not { } list) return VerificationResult.Failed(FailureReason.RevocationUnavailable);
            if (list.Contains(key.Principal)) return VerificationResult.Failed(FailureReason.Revoked);
        }
        if (_replays is not null)
        {
            // Last: only who has the key can use nonces up.
            if (given.Nonce is null or { Length: 0 or > NonceLengthMax }) return VerificationResult.Failed(FailureReason.ComponentNotCovered, "nonce");
            reason = _replays.Use(key.Id, given.Nonce);
            if (reason != FailureReason.None) return VerificationResult.Failed(reason);
        }
        if (input.Components.Contains("content-digest")) digest = request.Field("content-digest");
        return VerificationResult.Of(key.Principal);
    }

    private FailureReason CheckTimes(in SignatureInput.Parameters given)
    {
        long now = _time.GetUtcNow().ToUnixTimeSeconds(), skew = (long)_options.ClockSkew.TotalSeconds;
        if (given.Created is not { } created) return FailureReason.NoExpiry;
        if (created > now + skew) return FailureReason.IssuedInFuture;
        if (created < now - skew - (long)_options.AgeMax.TotalSeconds) return FailureReason.Expired;
        return given.Expires is { } expires && expires <= now - skew ? FailureReason.Expired : FailureReason.None;
    }

    private string? Uncovered(ISignedRequest request, IReadOnlyList<string> covered)
    {
        foreach (string component in _options.Components)
        {
            if (covered.Contains(component) || component is "@authority" or "@path" or "@query" or "@scheme" && covered.Contains("@target-uri")) continue;
            // RFC 9421 §2.2.5: path and query as in the request line.
            if (component is "@path" or "@query" && covered.Contains("@request-target")) continue;
            return component;
        }
        return _options.RequiresDigest && request.HasBody && !covered.Contains("content-digest") ? "content-digest" : null;
    }

    private static string? ValueOf(ISignedRequest request, string component)
    {
        if (component[0] != '@') return component.Any(char.IsAsciiLetterUpper) ? null : request.Field(component);
        string query = request.Query.Length == 0 ? "" : "?" + request.Query;
        return component switch
        {
            "@method" => request.Method,
            "@scheme" => request.UriScheme,
            "@authority" => Authority(request),
            "@path" => request.Path,
            "@query" => query.Length == 0 ? "?" : query, // §2.2.7
            "@target-uri" => $"{request.UriScheme}://{Authority(request)}{request.Path}{query}",
            "@request-target" => request.Path + query,
            _ => null,
        };
    }

    // §2.2.3: in lower case, without the scheme's own port.
    private static string Authority(ISignedRequest request)
    {
        string authority = request.Authority.ToLowerInvariant(), port = request.UriScheme == "https" ? ":443" : ":80";
        return authority.EndsWith(port, StringComparison.Ordinal) ? authority[..^port.Length] : authority;
    }

    private static bool TryReadSignatures(string field, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Dictionary<string, byte[]>? signatures)
    {
        signatures = null;
        var read = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var reader = new FieldReader(field);
        do
        {
            if (read.Count == SignaturesMax || !reader.TryReadKey(out string label) || !reader.TryTake('=') || !reader.TryReadBytes(out byte[] value) || !read.TryAdd(label, value)) return false;
        }
        while (reader.NextMember());
        if (!reader.IsAtEnd) return false;
        signatures = read;
        return true;
    }
}
