using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Signatures;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies signed requests: HTTP Message Signatures (RFC 9421) by hmac-sha256.</summary>
public sealed record SignatureConfig : AuthenticationConfig
{
    /// <summary>Who may sign, by "keyid".</summary>
    public IReadOnlyDictionary<string, SigningKeyConfig> Keys { get; init => field = ConfigMap<SigningKeyConfig>.Of(value); } = ConfigMap<SigningKeyConfig>.Empty;

    /// <summary>What signatures must cover: header fields in lower case, "@method", "@authority", "@path", "@query", "@target-uri", "@scheme", "@request-target". Default the first four.</summary>
    public IReadOnlyList<string> Components { get; init => field = ConfigList<string>.Of(value); } = ConfigList<string>.Of(new SignatureOptions().Components);

    /// <summary>Whether a body must be signed by its Content-Digest (RFC 9530), with which it is compared. Default true.</summary>
    public bool RequireDigest { get; init; } = true;

    /// <summary>Longest body that is compared with its digest, in bytes; a longer one gets 413. Default 1 MiB.</summary>
    public int BodyBytesMax { get; init; } = 1 << 20;

    /// <summary>How long a signature is good after its "created". Default 5 min.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>By how much clocks may differ. Default 30 s.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Nonces that are remembered while they could be used again, about 50 bytes each; each signature must then have one. 0 (default): none, and a signature is good more than once.</summary>
    public int NoncesMax { get; init; }

    /// <summary>"https" or "http" as the signer sees it, where TLS ends before this balancer. Null (default): as it is here.</summary>
    public string? UriScheme { get; init; }

    /// <inheritdoc/>
    public override string Kind => "signature";

    internal override IEnumerable<string> CredentialFields => base.CredentialFields.Concat(["signature", "signature-input", "content-digest"]).Concat(Components);

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        base.Validate(problems);
        if (Keys.Count is 0 or > 10_000) problems.Add("keys", $"names {Keys.Count} keys; expected 1 to 10000");
        foreach ((string id, SigningKeyConfig key) in Keys)
        {
            string path = ConfigPath.Member("keys", id);
            if (id.Length is 0 or > 256 || id.Any(c => c is < ' ' or > '~')) problems.Add(path, "its name has control characters or what is no ASCII, or not 1 to 256 characters");
            if (!IssuerConfig.TryReadSecret(key.Secret, out byte[] secret)) problems.Add($"{path}.secret", "is no base64 behind \"base64:\"");
            else if (secret.Length < SignatureKey.SecretBytesMin) problems.Add($"{path}.secret", $"has {secret.Length} bytes; expected at least {SignatureKey.SecretBytesMin}, by chance");
        }
        for (int i = 0; i < Components.Count; i++)
        {
            string component = Components[i];
            bool isKnown = component is "@method" or "@authority" or "@path" or "@query" or "@target-uri" or "@scheme" or "@request-target" || HttpSyntax.IsToken(component) && !component.Any(char.IsAsciiLetterUpper);
            if (!isKnown) problems.Add(ConfigPath.Item("components", i), $"{CharacterText.Quote(component)} is no component; expected a header in lower case, \"@method\", \"@authority\", \"@path\", \"@query\", \"@target-uri\", \"@scheme\" or \"@request-target\"");
        }
        if (Components.Count > 32) problems.Add("components", $"names {Components.Count}; expected at most 32");
        problems.Range("bodyBytesMax", BodyBytesMax, AuthenticationRanges.BodyBytes);
        problems.Range("maxAge", MaxAge, AuthenticationRanges.SignatureAge);
        problems.Range("clockSkew", ClockSkew, AuthenticationRanges.ClockSkew);
        problems.Range("noncesMax", NoncesMax, AuthenticationRanges.Nonces);
        if (UriScheme is not (null or "https" or "http")) problems.Add("uriScheme", "is neither \"https\" nor \"http\"");
    }

    private protected override AuthenticationPolicy CreatePolicy(PolicyServices services) => new SignaturePolicy(this, services);

    internal IEnumerable<SignatureKey> Secrets()
    {
        foreach ((string id, SigningKeyConfig key) in Keys)
        {
            if (!IssuerConfig.TryReadSecret(key.Secret, out byte[] secret)) throw new InvalidOperationException($"the secret of {id} is no base64");
            var builder = new PrincipalBuilder(Schemes.Signature, key.Claims.GetValueOrDefault("sub", id), id);
            foreach ((string name, string value) in key.Claims)
            {
                if (value.Contains(',', StringComparison.Ordinal)) builder.Add(name, value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
                else builder.Add(name, value);
            }
            yield return new SignatureKey(id, secret, builder.Build());
        }
    }
}
