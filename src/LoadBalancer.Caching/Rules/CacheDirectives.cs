namespace LoadBalancer.Caching.Rules;

/// <summary>The response directives that have no number (RFC 9111 §5.2.2).</summary>
[Flags]
public enum CacheDirectives : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>no-store.</summary>
    NoStore = 1 << 0,
    /// <summary>no-cache without field names.</summary>
    NoCache = 1 << 1,
    /// <summary>no-cache with field names, which are not stored.</summary>
    NoCacheFields = 1 << 2,
    /// <summary>private without field names.</summary>
    Private = 1 << 3,
    /// <summary>private with field names, which are not stored.</summary>
    PrivateFields = 1 << 4,
    /// <summary>public.</summary>
    Public = 1 << 5,
    /// <summary>must-revalidate.</summary>
    MustRevalidate = 1 << 6,
    /// <summary>proxy-revalidate.</summary>
    ProxyRevalidate = 1 << 7,
    /// <summary>must-understand.</summary>
    MustUnderstand = 1 << 8,
    /// <summary>no-transform. Nothing here transforms; it is told on.</summary>
    NoTransform = 1 << 9,
    /// <summary>They come from CDN-Cache-Control, which replaces Cache-Control and Expires (RFC 9213).</summary>
    Targeted = 1 << 10,
}
