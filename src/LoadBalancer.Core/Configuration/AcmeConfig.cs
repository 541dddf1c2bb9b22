namespace LoadBalancer.Core.Configuration;

/// <summary>The certification authority that certificates are had from (ACME, RFC 8555), and how.</summary>
public sealed record AcmeConfig
{
    /// <summary>Let's Encrypt's directory, the default of <see cref="Directory"/>.</summary>
    public const string LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

    /// <summary>Whether you agree to the authority's terms of service. Must be true: nobody else can agree for you.</summary>
    public bool AgreeToTerms { get; init; }

    /// <summary>Mail addresses that the authority may write to. Default none.</summary>
    public IReadOnlyList<string> Contact { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>URL of the authority's directory. Default <see cref="LetsEncrypt"/>.</summary>
    public string Directory { get; init; } = LetsEncrypt;

    /// <summary>
    /// Folder that keeps the account's key and the certificates with their keys (mode 0700, files 0600); made when it is missing. Balancers may share one where one of them
    /// gets the traffic (active and passive): who orders answers the challenge, out of its own memory. Default "acme", beside the configuration file.
    /// </summary>
    public string Storage { get; init; } = "acme";

    /// <summary>How the authority is asked to validate that a name is ours. Default <see cref="AcmeChallenge.Auto"/>.</summary>
    public AcmeChallenge Challenge { get; init; }

    /// <summary>Kind of the certificates' keys. Default <see cref="AcmeKeyKind.Ecdsa"/>.</summary>
    public AcmeKeyKind Key { get; init; }

    /// <summary>How long before its end a certificate is renewed, at most half of its life. Zero (default): when a third of its life is left.</summary>
    public TimeSpan RenewBefore { get; init; }

    /// <summary>PEM file with the root certificates that the authority's own server is verified by. Null (default): the system's.</summary>
    public string? Trust { get; init; }

    /// <summary>Ties the account to one that you have at the authority. Null (default): none.</summary>
    public ExternalAccountConfig? ExternalAccount { get; init; }
}

/// <summary>Credentials of an account at a certification authority that asks for one (external account binding, RFC 8555 §7.3.4).</summary>
public sealed record ExternalAccountConfig
{
    /// <summary>Key identifier, as the authority gave it.</summary>
    public required string KeyId { get; init; }

    /// <summary>MAC key in base64url, as the authority gave it.</summary>
    public required string MacKey { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"ExternalAccountConfig {{ KeyId = {KeyId}, MacKey = *** }}"; // a secret is never printed
}

/// <summary>How a certification authority validates a name.</summary>
public enum AcmeChallenge
{
    /// <summary>
    /// Where plain HTTP (a listener without <c>tls</c>, or a redirect of <c>httpsOnly</c>) is on port 80: <see cref="Http01"/> first, else <see cref="TlsAlpn01"/>. After a failure the other one, where there is a
    /// listener for it.
    /// </summary>
    Auto,
    /// <summary>It fetches http://name/.well-known/acme-challenge/… from port 80 (RFC 8555 §8.3).</summary>
    Http01,
    /// <summary>It makes a TLS connection to port 443 (RFC 8737).</summary>
    TlsAlpn01,
}

/// <summary>Kinds of keys.</summary>
public enum AcmeKeyKind
{
    /// <summary>P-256.</summary>
    Ecdsa,
    /// <summary>RSA of 2048 bits: hand-shakes cost several times as much.</summary>
    Rsa,
}
