namespace LoadBalancer.Core.Configuration;

/// <summary>Where the admin listener is reached, and by whom.</summary>
public sealed record AdminConfig
{
    /// <summary><see cref="Address"/> for no admin listener.</summary>
    public const string Off = "off";

    /// <summary>
    /// "unix:/path", "127.0.0.1:port", or "off". Null (default): a Unix socket at a well-known path, where one can be made: $XDG_RUNTIME_DIR/lb/admin.sock, or
    /// /run/lb/admin.sock for root. A Unix socket is for its owner only (mode 0600).
    /// </summary>
    public string? Address { get; init; }

    /// <summary>
    /// Secret that every request must carry ("Authorization: Bearer …"), 16 to 256 characters. Must be set for TCP. Null (default): none, who may open the Unix
    /// socket is let in.
    /// </summary>
    public string? Token { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"AdminConfig {{ Address = {Address}, Token = {(Token is null ? "none" : "***")} }}"; // a secret is never printed
}
