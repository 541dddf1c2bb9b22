namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Sticky sessions: a cookie leads a client back to the destination that answered it. Its value is opaque and signed; it names the destination by
/// name and address, so it outlives changes of the list. In the file a plain string is its <see cref="Cookie"/>.
/// </summary>
public sealed record StickyConfig
{
    /// <summary>Name of the cookie. Clusters that a browser meets under the same host and path need different ones.</summary>
    public required string Cookie { get; init; }

    /// <summary>
    /// Secrets of at least 16 characters: the first signs, all are believed, and a cookie by an older one is replaced when it is seen, so keys
    /// can be rotated. Balancers with the same keys take each other's cookies. Empty (default): a random one, for as long as the process lives.
    /// </summary>
    public IReadOnlyList<string> Keys { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Path under which browsers send the cookie. Default "/".</summary>
    public string Path { get; init; } = "/";

    /// <summary>How long browsers keep the cookie from when it was set. Default 0: until they are closed.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.Zero;

    /// <summary>Whether browsers send it over https only. Default false.</summary>
    public bool Secure { get; init; }

    /// <summary>Whether browsers send it with requests from other sites. Default: nothing is said, which browsers take for "lax".</summary>
    public StickySameSite SameSite { get; init; }
}

/// <summary>The SameSite attribute of a cookie.</summary>
public enum StickySameSite
{
    /// <summary>Left out.</summary>
    Unset,
    /// <summary>Not with requests from other sites, but for following a link.</summary>
    Lax,
    /// <summary>Never with requests from other sites.</summary>
    Strict,
    /// <summary>Always; browsers ask for <see cref="StickyConfig.Secure"/> then.</summary>
    None,
}
