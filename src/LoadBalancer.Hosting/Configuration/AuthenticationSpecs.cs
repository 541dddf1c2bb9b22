using System.Text.Json;
using LoadBalancer.Gateway.Authentication;
using LoadBalancer.Hosting.Configuration.Specs;
using LoadBalancer.Identity.Certificates;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of the policies that verify who a request is from.</summary>
internal static class AuthenticationSpecs
{
    private const string SourceDoc = "Where something is fetched from again and again; what was last good is used while it cannot be had. A plain string is its \"from\".";

    private static readonly string[] PlaceExamples = ["bearer", "header:X-Api-Key", "cookie:token", "authorization:Token"];

    internal static readonly ObjectSpec<SourceConfig> Source = new(
        "source", SourceDoc, () => new SourceConfig(),
        new FieldSpec<SourceConfig, string>("from", "A URL (\"https://…\"), a file, or \"redis:KEY\": a set of lines in the Redis of the configuration.",
            new TextSpec(examples: ["https://id.example.com/.well-known/jwks.json", "keys.txt", "redis:revoked"]), c => c.From, (c, v) => c with { From = v }) { Secrecy = Secrecy.Credentials, IsRequired = true, OtherNames = ["url", "uri", "file", "path"] },
        new FieldSpec<SourceConfig, TimeSpan>("interval", "Between two fetches, ± 10 %. 0: 5 min for a URL, 10 s for a file or Redis.",
            new DurationSpec(AuthenticationRanges.Interval), c => c.Interval, (c, v) => c with { Interval = v }) { OtherNames = ["refresh", "cacheDuration", "ttl"] },
        new FieldSpec<SourceConfig, TimeSpan>("timeout", "Until a fetch is given up.",
            new DurationSpec(AuthenticationRanges.Timeout), c => c.Timeout, (c, v) => c with { Timeout = v }),
        new FieldSpec<SourceConfig, TimeSpan>("refetchMin", "Least time between fetches out of turn: for a key that a token names and nobody knows.",
            new DurationSpec(AuthenticationRanges.RefetchMin), c => c.RefetchMin, (c, v) => c with { RefetchMin = v }) { OtherNames = ["cooldown"] },
        new FieldSpec<SourceConfig, TimeSpan>("maxAge", "How long what was last good is used without a fetch that succeeds. 0: for ever.",
            new DurationSpec(AuthenticationRanges.MaxAge), c => c.MaxAge, (c, v) => c with { MaxAge = v }) { OtherNames = ["maxStale"] },
        new FieldSpec<SourceConfig, string?>("ca", "PEM file of the authority that the server's certificate must come from. Left out: the system's.",
            new TextSpec()!, c => c.Ca, (c, v) => c with { Ca = v }),
        new FieldSpec<SourceConfig, bool>("allowHttp", "Whether \"http://\" is fetched from other hosts than this one: whoever is on the way chooses what comes.",
            new FlagSpec(), c => c.AllowHttp, (c, v) => c with { AllowHttp = v }) { OtherNames = ["insecure"] })
    {
        FromText = text => new SourceConfig { From = text },
    };

    internal static readonly ObjectSpec<IssuerConfig> Issuer = new(
        "issuer", "Somebody whose tokens are accepted, and which of them.", () => new IssuerConfig(),
        new FieldSpec<IssuerConfig, SourceConfig?>("jwks", "Where the keys are: a JSON Web Key Set by URL or in a file.",
            Source!, c => c.Jwks, (c, v) => c with { Jwks = v }) { OtherNames = ["jwksUri", "remoteJwks", "jwksUrl", "keySet"] },
        new FieldSpec<IssuerConfig, string?>("key", "The key itself in place of a set: PEM of a public key or a certificate, or \"@file:/path\".",
            new TextSpec()!, c => c.Key, (c, v) => c with { Key = v }) { Secrecy = Secrecy.All, OtherNames = ["publicKey", "pem"] },
        new FieldSpec<IssuerConfig, string?>("secret", "The shared secret in place of a set, 32 bytes or more: its UTF-8, or after \"base64:\" what that stands for. Keep it out of the file: \"${NAME}\" or \"@file:/path\".",
            new TextSpec()!, c => c.Secret, (c, v) => c with { Secret = v }) { Secrecy = Secrecy.All },
        new FieldSpec<IssuerConfig, IReadOnlyList<string>>("algorithms", "Algorithms that keys may be used with. Empty: what a key says itself (\"alg\"), else RS256 for RSA, that of its curve for EC and Ed25519, HS256 for a secret.",
            new TextListSpec(new TextSpec(choices: [.. SignatureAlgorithmNames.All])), c => c.Algorithms, (c, v) => c with { Algorithms = v }) { OtherNames = ["alg", "validAlgorithms"] },
        new FieldSpec<IssuerConfig, IReadOnlyList<string>>("audiences", "Who the tokens must be for: one of these in \"aud\". \"*\": anybody.",
            new TextListSpec(new TextSpec()), c => c.Audiences, (c, v) => c with { Audiences = v }) { IsRequired = true, OtherNames = ["audience", "aud", "validAudiences"] },
        new FieldSpec<IssuerConfig, IReadOnlyList<string>>("types", "Types that tokens must have (\"typ\"). Empty: \"JWT\", \"at+jwt\" or none.",
            new TextListSpec(new TextSpec(examples: ["at+jwt"])), c => c.Types, (c, v) => c with { Types = v }) { OtherNames = ["typ", "validTypes"] },
        new FieldSpec<IssuerConfig, IReadOnlyDictionary<string, string>>("required", "Claims that tokens must have, each with a value; \"*\" for any, several with \"|\" between them.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Required, (c, v) => c with { Required = v }) { OtherNames = ["claims", "requiredClaims"] },
        new FieldSpec<IssuerConfig, bool>("requireExpiry", "Whether tokens must end (\"exp\").",
            new FlagSpec(), c => c.RequireExpiry, (c, v) => c with { RequireExpiry = v }),
        new FieldSpec<IssuerConfig, TimeSpan>("clockSkew", "By how much clocks may differ.",
            new DurationSpec(AuthenticationRanges.ClockSkew), c => c.ClockSkew, (c, v) => c with { ClockSkew = v }) { OtherNames = ["leeway", "skew"] },
        new FieldSpec<IssuerConfig, TimeSpan>("maxAge", "Longest time since \"iat\". 0: any.",
            new DurationSpec(AuthenticationRanges.TokenAge), c => c.MaxAge, (c, v) => c with { MaxAge = v }),
        new FieldSpec<IssuerConfig, TimeSpan>("wait", "How long a token waits for keys that are fetched for it.",
            new DurationSpec(AuthenticationRanges.Wait), c => c.Wait, (c, v) => c with { Wait = v }));

    internal static readonly ObjectSpec<SigningKeyConfig> SigningKey = new(
        "signingKey", "A secret that somebody signs requests with. A plain string is its \"secret\".", () => new SigningKeyConfig(),
        new FieldSpec<SigningKeyConfig, string>("secret", "The secret, 32 bytes or more: its UTF-8, or after \"base64:\" what that stands for. Keep it out of the file: \"${NAME}\" or \"@file:/path\".",
            new TextSpec(), c => c.Secret, (c, v) => c with { Secret = v }) { Secrecy = Secrecy.All, IsRequired = true },
        new FieldSpec<SigningKeyConfig, IReadOnlyDictionary<string, string>>("claims", "Claims of who signs with it; a list where there are commas. \"sub\": in place of the key's name.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Claims, (c, v) => c with { Claims = v }))
    {
        FromText = text => new SigningKeyConfig { Secret = text },
    };

    internal static readonly ObjectSpec<JwtConfig> Jwt = new(
        "jwt", "Verifies signed tokens (RFC 7519).", () => new JwtConfig(),
        [
            new FieldSpec<JwtConfig, IReadOnlyDictionary<string, IssuerConfig>>("issuers", "Whose tokens are accepted, by \"iss\"; \"*\": any other issuer, or none.",
                new MapSpec<IssuerConfig>(Issuer, Issuer.Empty), c => c.Issuers, (c, v) => c with { Issuers = v }) { IsRequired = true, OtherNames = ["issuer", "providers"] },
            new FieldSpec<JwtConfig, IReadOnlyList<string>>("from", "Where the token may stand. More than one token is refused.",
                new TextListSpec(new TextSpec(examples: PlaceExamples)), c => c.From, (c, v) => c with { From = v }) { OtherNames = ["fromHeaders", "tokenLookup", "in"] },
            new FieldSpec<JwtConfig, int>("cache", "Tokens that are remembered when they were verified; 0 for none.",
                new CountSpec(AuthenticationRanges.Cached), c => c.Cache, (c, v) => c with { Cache = v }) { OtherNames = ["jwtCacheConfig"] },
            new FieldSpec<JwtConfig, int>("tokenBytesMax", "Longest token that is looked at, in bytes.",
                new CountSpec(AuthenticationRanges.TokenBytes), c => c.TokenBytesMax, (c, v) => c with { TokenBytesMax = v }),
            .. Common<JwtConfig>("not for tokens"),
        ]);

    internal static readonly ObjectSpec<ApiKeyConfig> ApiKey = new(
        "apiKeyPolicy", "Verifies API keys, of which only hashes are kept.", () => new ApiKeyConfig(),
        [
            new FieldSpec<ApiKeyConfig, SourceConfig?>("keys", "A file or URL of keys: \"ID:SHA256\" per line, then attributes (\"owner=alice roles=reader,writer expires=2027-01-31\").",
                Source!, c => c.Keys, (c, v) => c with { Keys = v }) { OtherNames = ["file"] },
            new FieldSpec<ApiKeyConfig, IReadOnlyDictionary<string, string>>("hashes", "Keys by id, each as in such a line behind its \"ID:\".",
                new MapSpec<string>(new TextSpec(), () => ""), c => c.Hashes, (c, v) => c with { Hashes = v }) { Secrecy = Secrecy.All },
            new FieldSpec<ApiKeyConfig, IReadOnlyList<string>>("from", "Where the key may stand. More than one is refused.",
                new TextListSpec(new TextSpec(examples: PlaceExamples)), c => c.From, (c, v) => c with { From = v }) { OtherNames = ["keyNames", "header", "in"] },
            .. Common<ApiKeyConfig>("it is"),
        ]);

    internal static readonly ObjectSpec<BasicConfig> Basic = new(
        "basic", "Verifies names and passwords (RFC 7617).", () => new BasicConfig(),
        [
            new FieldSpec<BasicConfig, SourceConfig?>("users", "A file of htpasswd -B (bcrypt).",
                Source!, c => c.Users, (c, v) => c with { Users = v }) { OtherNames = ["usersFile", "authBasicUserFile", "file"] },
            new FieldSpec<BasicConfig, IReadOnlyDictionary<string, string>>("hashes", "Hashes of passwords by user, as in such a file.",
                new MapSpec<string>(new TextSpec(), () => ""), c => c.Hashes, (c, v) => c with { Hashes = v }) { Secrecy = Secrecy.All },
            new FieldSpec<BasicConfig, TimeSpan>("rememberFor", "How long a password that was right is remembered, as a keyed hash. 0: not at all.",
                new DurationSpec(AuthenticationRanges.RememberFor), c => c.RememberFor, (c, v) => c with { RememberFor = v }) { OtherNames = ["cacheFor"] },
            new FieldSpec<BasicConfig, int>("cache", "Passwords that are remembered; 0 for none.",
                new CountSpec(AuthenticationRanges.Cached), c => c.Cache, (c, v) => c with { Cache = v }),
            new FieldSpec<BasicConfig, int>("concurrency", "Passwords that are verified at a time, as each takes a processor for long. 0: half the processors, at least one.",
                new CountSpec(AuthenticationRanges.Concurrency), c => c.Concurrency, (c, v) => c with { Concurrency = v }),
            new FieldSpec<BasicConfig, int>("pendingMax", "Passwords that are verified or wait for it; beyond, requests get \"unavailableStatus\".",
                new CountSpec(AuthenticationRanges.Pending), c => c.PendingMax, (c, v) => c with { PendingMax = v }),
            .. Common<BasicConfig>("it is"),
        ]);

    internal static readonly ObjectSpec<SignatureConfig> Signature = new(
        "signature", "Verifies signed requests: HTTP Message Signatures (RFC 9421) by hmac-sha256.", () => new SignatureConfig(),
        [
            new FieldSpec<SignatureConfig, IReadOnlyDictionary<string, SigningKeyConfig>>("keys", "Who may sign, by \"keyid\".",
                new MapSpec<SigningKeyConfig>(SigningKey, SigningKey.Empty), c => c.Keys, (c, v) => c with { Keys = v }) { IsRequired = true, OtherNames = ["secrets"] },
            new FieldSpec<SignatureConfig, IReadOnlyList<string>>("components", "What signatures must cover: header fields in lower case, \"@method\", \"@authority\", \"@path\", \"@query\", \"@target-uri\", \"@scheme\", \"@request-target\".",
                new TextListSpec(new TextSpec(examples: ["@method", "@target-uri", "content-type"])), c => c.Components, (c, v) => c with { Components = v }) { OtherNames = ["headersToSign", "enforceHeaders"] },
            new FieldSpec<SignatureConfig, bool>("requireDigest", "Whether a body must be signed by its Content-Digest, with which it is compared.",
                new FlagSpec(), c => c.RequireDigest, (c, v) => c with { RequireDigest = v }) { OtherNames = ["validateRequestBody"] },
            new FieldSpec<SignatureConfig, int>("bodyBytesMax", "Longest body that is compared with its digest, in bytes; a longer one gets 413.",
                new CountSpec(AuthenticationRanges.BodyBytes), c => c.BodyBytesMax, (c, v) => c with { BodyBytesMax = v }),
            new FieldSpec<SignatureConfig, TimeSpan>("maxAge", "How long a signature is good after its \"created\".",
                new DurationSpec(AuthenticationRanges.SignatureAge), c => c.MaxAge, (c, v) => c with { MaxAge = v }) { OtherNames = ["window"] },
            new FieldSpec<SignatureConfig, TimeSpan>("clockSkew", "By how much clocks may differ.",
                new DurationSpec(AuthenticationRanges.ClockSkew), c => c.ClockSkew, (c, v) => c with { ClockSkew = v }),
            new FieldSpec<SignatureConfig, int>("noncesMax", "Nonces that are remembered while they could be used again; each signature must then have one. 0: none, and a signature is good more than once.",
                new CountSpec(AuthenticationRanges.Nonces), c => c.NoncesMax, (c, v) => c with { NoncesMax = v }) { OtherNames = ["replayCache"] },
            new FieldSpec<SignatureConfig, string?>("uriScheme", "\"https\" or \"http\" as the signer sees it, where TLS ends before this balancer. Left out: as it is here.",
                new TextSpec(choices: ["https", "http"])!, c => c.UriScheme, (c, v) => c with { UriScheme = v }),
            .. Common<SignatureConfig>("not for signatures"),
        ]);

    internal static readonly ObjectSpec<SessionConfig> Session = new(
        "sessionPolicy", "Verifies sessions: signed cookies, made by who knows the secret.", () => new SessionConfig(),
        [
            new FieldSpec<SessionConfig, IReadOnlyDictionary<string, string>>("keys", "Secrets by name, 32 bytes or more each: UTF-8, or after \"base64:\" what that stands for. All are accepted, so that they can be changed.",
                new MapSpec<string>(new TextSpec(), () => ""), c => c.Keys, (c, v) => c with { Keys = v }) { Secrecy = Secrecy.All, IsRequired = true, OtherNames = ["secrets", "secret"] },
            new FieldSpec<SessionConfig, string>("cookie", "Name of the cookie.",
                new TextSpec(), c => c.Cookie, (c, v) => c with { Cookie = v }) { OtherNames = ["cookieName", "name"] },
            new FieldSpec<SessionConfig, int>("cache", "Sessions that are remembered when they were verified; 0 for none.",
                new CountSpec(AuthenticationRanges.Cached), c => c.Cache, (c, v) => c with { Cache = v }),
            .. Common<SessionConfig>("it is"),
        ]);

    internal static readonly ObjectSpec<MutualTlsConfig> MutualTls = new(
        "clientCertificate", "Takes who a request is from out of the client certificate, which the listener has verified.", () => new MutualTlsConfig(),
        [
            new FieldSpec<MutualTlsConfig, CertificateSubject>("subject", "What of the certificate is the subject: the common name, the first name of a kind, the whole name, or SHA-256 of the certificate.",
                new ChoiceSpec<CertificateSubject>(("cn", CertificateSubject.CommonName), ("dns", CertificateSubject.Dns), ("uri", CertificateSubject.Uri), ("email", CertificateSubject.Email),
                    ("dn", CertificateSubject.DistinguishedName), ("fingerprint", CertificateSubject.Fingerprint)), c => c.Subject, (c, v) => c with { Subject = v }) { OtherNames = ["claim"] },
            .. Common<MutualTlsConfig>("there is none"),
        ])
    {
        IsDefaultForTrue = true,
    };

    internal static readonly ObjectSpec<AuthenticateConfig> Authenticate = new(
        "authenticate", "Takes one of several ways to verify who a request is from: the first whose credential the request has.", () => new AuthenticateConfig(),
        new FieldSpec<AuthenticateConfig, IReadOnlyList<string>>("anyOf", "Names of policies that verify who a request is from, in the order in which they are asked.",
            new TextListSpec(new TextSpec()), c => c.AnyOf, (c, v) => c with { AnyOf = v }) { IsRequired = true, OtherNames = ["policies", "requiresAny"] },
        new FieldSpec<AuthenticateConfig, bool>("optional", "Whether a request without any credential goes on, from nobody known.",
            new FlagSpec(), c => c.Optional, (c, v) => c with { Optional = v }) { OtherNames = ["allowMissing", "anonymous"] });

    private static FieldSpec<T>[] Common<T>(string removed) where T : AuthenticationConfig =>
    [
        new FieldSpec<T, bool>("optional", "Whether a request without credential goes on, from nobody known. One with a bad credential is refused all the same.",
            new FlagSpec(), c => c.Optional, (c, v) => (T)(c with { Optional = v })) { OtherNames = ["allowMissing", "anonymous"] },
        new FieldSpec<T, string?>("realm", "What the client is told it is asked for. Left out: the policy's name.",
            new TextSpec()!, c => c.Realm, (c, v) => (T)(c with { Realm = v })),
        new FieldSpec<T, IReadOnlyDictionary<string, string>>("headers",
            "Header fields for the destination, each with the claim that it is of (\"*\": all, as Base64 of JSON). What clients send under these names is taken out of every request.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Headers, (c, v) => (T)(c with { Headers = v })) { OtherNames = ["claimToHeaders", "headerField", "forwardHeaders"] },
        new FieldSpec<T, HeaderEncoding>("headerEncoding", "\"percent\": what is no ASCII, \"%\" and, in a list, \",\" percent-encoded; \"base64\": all of it.",
            new ChoiceSpec<HeaderEncoding>(("percent", HeaderEncoding.Percent), ("base64", HeaderEncoding.Base64)), c => c.HeaderEncoding, (c, v) => (T)(c with { HeaderEncoding = v })),
        new FieldSpec<T, int>("headerBytesMax", "Longest value of a header, in bytes; a longer one refuses the request.",
            new CountSpec(AuthenticationRanges.HeaderBytes), c => c.HeaderBytesMax, (c, v) => (T)(c with { HeaderBytesMax = v })),
        new FieldSpec<T, bool?>("removeCredential", $"Whether the credential is taken out of what is forwarded. Left out: {removed}.",
            new OptionalFlagSpec(), c => c.RemoveCredential, (c, v) => (T)(c with { RemoveCredential = v })) { OtherNames = ["hideCredentials", "removeHeader", "forward"] },
        new FieldSpec<T, IReadOnlyList<string>>("logClaims", "Claims that the log tells, beside the subject.",
            new TextListSpec(new TextSpec()), c => c.LogClaims, (c, v) => (T)(c with { LogClaims = v })),
        new FieldSpec<T, SourceConfig?>("revoked", "Which tokens, subjects and keys are no longer good: \"jti ID\", \"sub SUBJECT\", \"kid ID\" or \"key ID\" per line. Left out: none.",
            Source!, c => c.Revoked, (c, v) => (T)(c with { Revoked = v })) { OtherNames = ["revocation", "denylist", "blacklist"] },
        new FieldSpec<T, int>("unavailableStatus", "Status when keys, users or the revocation list cannot be had. Nobody is let in then.",
            new CountSpec(AuthenticationRanges.UnavailableStatus, choices: [503, 401]), c => c.UnavailableStatus, (c, v) => (T)(c with { UnavailableStatus = v })),
    ];

    /// <summary>true, false, or left out.</summary>
    private sealed class OptionalFlagSpec : ValueSpec<bool?>
    {
        private static readonly FlagSpec Flag = new();

        internal override bool TryRead(ConfigNode node, string path, ReadContext context, out bool? value)
        {
            bool ok = Flag.TryRead(node, path, context, out bool flag);
            value = ok ? flag : null;
            return ok;
        }

        internal override void WriteValue(Utf8JsonWriter json, bool? value)
        {
            if (value is { } flag) Flag.WriteValue(json, flag);
            else json.WriteNullValue();
        }

        internal override void WriteSchema(SchemaWriter schema) => Flag.WriteSchema(schema);
    }
}
