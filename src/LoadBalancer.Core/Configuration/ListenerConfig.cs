namespace LoadBalancer.Core.Configuration;

/// <summary>A bound address that serves HTTP/1.1, or forwards TCP connections.</summary>
public sealed record ListenerConfig
{
    /// <summary>"host:port", ":port" (every address, IPv4 and IPv6), "[::1]:port", "unix:/path". The host is an IP address or "localhost".</summary>
    public required string Address { get; init; }

    /// <summary>Length of the accept queue. Default 4096 (the kernel caps it at net.core.somaxconn).</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>Whether an IPv6 wildcard address serves IPv4 too. Default true.</summary>
    public bool DualStack { get; init; } = true;

    /// <summary>Most open connections; further ones are closed on accept. 0 for no limit. Default 0.</summary>
    public int ConnectionsMax { get; init; }

    /// <summary>What one source may have of the connections. Null (default) for no limits.</summary>
    public PerSourceConfig? PerSource { get; init; }

    /// <summary>Idle time before TCP keep-alive probes; zero for none. Default 60 s.</summary>
    public TimeSpan TcpKeepAlive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Peers (CIDR) whose X-Forwarded-* and Forwarded fields are believed and extended. Default none: a client's own are dropped.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Which clients are let in, by address. Null (default): all that are not banned.</summary>
    public AccessConfig? Access { get; init; }

    /// <summary>Which fields tell the destination about the client.</summary>
    public ForwardedConfig Forwarded { get; init; } = new();

    /// <summary>PROXY headers of proxies before this one; null (default) for none. The client they name is the client in all else, <see cref="TrustedProxies"/> too.</summary>
    public ProxyProtocolConfig? ProxyProtocol { get; init; }

    /// <summary>Termination of TLS; null (default) for none.</summary>
    public TlsConfig? Tls { get; init; }

    /// <summary>Forwarding of connections as they are, what <see cref="Tls"/> has decrypted too; null (default) for HTTP.</summary>
    public TcpConfig? Tcp { get; init; }

    /// <summary>Sizes and times granted to clients.</summary>
    public ListenerLimitsConfig Limits { get; init; } = new();
}

/// <summary>Fields added to forwarded requests.</summary>
public sealed record ForwardedConfig
{
    /// <summary>X-Forwarded-For, -Proto and -Host. Default true.</summary>
    public bool XForwarded { get; init; } = true;

    /// <summary>Forwarded (RFC 7239). Default false.</summary>
    public bool Forwarded { get; init; }

    /// <summary>Pseudonym put into Via (RFC 9110 §7.6.3) of requests and responses; empty for no Via. Default "lb".</summary>
    public string Via { get; init; } = "lb";
}

/// <summary>Bounds on what a client may send and how long it may take.</summary>
public sealed record ListenerLimitsConfig
{
    /// <summary>From the first byte of a request to the end of its head; then 408. Default 10 s (nginx: 60 s).</summary>
    public TimeSpan RequestHeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait between two reads of a request body; then 408. Default 30 s (nginx: 60 s).</summary>
    public TimeSpan RequestBodyIdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Slowest request body in bytes per second, after <see cref="RequestBodyRateGrace"/>; 0 for none. Default 240 (Kestrel).</summary>
    public int RequestBodyRateMin { get; init; } = 240;

    /// <summary>Time before <see cref="RequestBodyRateMin"/> applies. Default 10 s.</summary>
    public TimeSpan RequestBodyRateGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Slowest taking of a response in bytes per second while the client is waited for; who is behind it by <see cref="ResponseRateGrace"/> is reset. So a byte now and then,
    /// which <see cref="WriteIdleTimeout"/> is content with, does not hold a connection. 0 for none. Default 240 (Kestrel).
    /// </summary>
    public int ResponseRateMin { get; init; } = 240;

    /// <summary>How far a client may be behind <see cref="ResponseRateMin"/>. Default 60 s, as <see cref="WriteIdleTimeout"/>.</summary>
    public TimeSpan ResponseRateGrace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection may wait for its next request. Default 75 s (nginx), longer than the usual 60 s of a balancer before us.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>Requests served on one connection before it is closed, jittered by 10 %; 0 for no limit. Default 10 000.</summary>
    public int RequestsPerConnectionMax { get; init; } = 10_000;

    /// <summary>Age after which a connection is closed with its current request, jittered by 10 %; zero for no limit. Default 1 h.</summary>
    public TimeSpan ConnectionAgeMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Longest wait for a client to take bytes; then the connection is reset. Default 60 s (nginx).</summary>
    public TimeSpan WriteIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Largest request line in bytes; longer ones get 414. Default 8 KiB (nginx, Kestrel).</summary>
    public int RequestLineBytesMax { get; init; } = 8 * 1024;

    /// <summary>Largest request head in bytes, request line included; longer ones get 431. Default 32 KiB (Kestrel). At most 64 KiB.</summary>
    public int RequestHeadBytesMax { get; init; } = 32 * 1024;

    /// <summary>Most header fields; more get 431. Default 100 (Kestrel, HAProxy).</summary>
    public int RequestHeaderCountMax { get; init; } = 100;

    /// <summary>Largest request body in bytes; larger ones get 413. Null (default) for no limit: bodies are streamed.</summary>
    public long? RequestBodyBytesMax { get; init; }
}
