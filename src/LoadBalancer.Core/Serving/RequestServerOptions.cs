using LoadBalancer.Core.Configuration;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Serving;

/// <summary>Address and bounds of a <see cref="RequestServer"/>.</summary>
public sealed record RequestServerOptions
{
    /// <summary>What it is called in messages.</summary>
    public required string Name { get; init; }

    /// <summary>As <see cref="ListenerConfig.Address"/>.</summary>
    public required string Address { get; init; }

    /// <summary>Who may connect to a Unix socket. Default: its owner (0600).</summary>
    public UnixFileMode FileMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Default <see cref="TransportKind.Auto"/>.</summary>
    public TransportKind Transport { get; init; }

    /// <summary>Most open connections; further ones are closed on accept. Default 256.</summary>
    public int ConnectionsMax { get; init; } = 256;

    /// <summary>Largest request body in bytes; larger ones get 413. Default 64 KiB.</summary>
    public int BodyBytesMax { get; init; } = 64 * 1024;

    /// <summary>Bounds on a request head; beyond them 414 or 431. Default 4 KiB for the first line, 16 KiB, 64 fields.</summary>
    public HeadLimits HeadLimits { get; init; } = new(4 * 1024, 16 * 1024, 64);

    /// <summary>From the first byte of a request to the end of its head, and again to the end of its body; then 408. Default 5 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may wait for its next request. Default 60 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest wait for a client to take what was sent; then the connection is reset. Default 10 s.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long answers under way may go on when the server stops. Default 2 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
