namespace LoadBalancer.Identity.Revocation;

/// <summary>What of a credential is revoked.</summary>
public enum RevocationKind
{
    /// <summary>A token or session: its "jti".</summary>
    Token,
    /// <summary>A subject: its "sub", whoever has issued the credential.</summary>
    Subject,
    /// <summary>A key: its "kid".</summary>
    Key,
    /// <summary>An API key: its id.</summary>
    ApiKey,
}
