namespace LoadBalancer.Core.Configuration;

/// <summary>Everything the user wrote. Immutable; validated as a whole before any of it is used.</summary>
public sealed record ProxyConfig
{
    /// <summary>Addresses to serve, by name.</summary>
    public IReadOnlyDictionary<string, ListenerConfig> Listeners { get; init; } = new Dictionary<string, ListenerConfig>();

    /// <summary>Which request goes where, by name. The most specific match wins, not the order.</summary>
    public IReadOnlyDictionary<string, RouteConfig> Routes { get; init; } = new Dictionary<string, RouteConfig>();

    /// <summary>Groups of destinations, by name.</summary>
    public IReadOnlyDictionary<string, ClusterConfig> Clusters { get; init; } = new Dictionary<string, ClusterConfig>();

    /// <summary>Loops and sockets.</summary>
    public TransportConfig Transport { get; init; } = new();

    /// <summary>On stop: how long requests in flight may go on before they are cut. Default 30 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Directory that relative paths of files start from: null (default) for the current one. From a file it is the file's own.</summary>
    public string? BaseDirectory { get; init; }
}

/// <summary>Which transport carries the bytes, and over how many loops.</summary>
public sealed record TransportConfig
{
    /// <summary>Default <see cref="TransportKind.Auto"/>.</summary>
    public TransportKind Kind { get; init; }

    /// <summary>Event loops, each a thread with its own connections. 0 (default): one for each processor.</summary>
    public int Loops { get; init; }
}

/// <summary>The transports there are.</summary>
public enum TransportKind
{
    /// <summary><see cref="Epoll"/> on Linux, else <see cref="Sockets"/>.</summary>
    Auto,
    /// <summary>Our own event loops on Linux epoll.</summary>
    Epoll,
    /// <summary>System.Net.Sockets, on every platform .NET runs on.</summary>
    Sockets,
}
