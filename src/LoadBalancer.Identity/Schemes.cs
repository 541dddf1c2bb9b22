namespace LoadBalancer.Identity;

/// <summary>Names of the ways to be verified, as the configuration and the log have them.</summary>
public static class Schemes
{
    /// <summary>A signed token (RFC 7519).</summary>
    public const string Jwt = "jwt";
    /// <summary>An API key.</summary>
    public const string ApiKey = "apiKey";
    /// <summary>A name and a password (RFC 7617).</summary>
    public const string Basic = "basic";
    /// <summary>A signed request (RFC 9421).</summary>
    public const string Signature = "signature";
    /// <summary>A signed cookie.</summary>
    public const string Session = "session";
    /// <summary>The certificate of the connection.</summary>
    public const string ClientCertificate = "clientCertificate";
}
