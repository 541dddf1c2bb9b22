using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="ListenerConfig"/> and its parts.</summary>
internal static class ListenerSpecs
{
    internal static readonly ObjectSpec<ForwardedConfig> Forwarded = new(
        "forwarded", "Which fields tell the destination about the client.", () => new ForwardedConfig(),
        new FieldSpec<ForwardedConfig, bool>("xForwarded", "Add X-Forwarded-For, -Proto and -Host.",
            new FlagSpec(), c => c.XForwarded, (c, v) => c with { XForwarded = v }),
        new FieldSpec<ForwardedConfig, bool>("forwarded", "Add Forwarded (RFC 7239).",
            new FlagSpec(), c => c.Forwarded, (c, v) => c with { Forwarded = v }),
        new FieldSpec<ForwardedConfig, string>("via", "Pseudonym put into Via (RFC 9110 §7.6.3) of requests and responses; empty for no Via.",
            new TextSpec(pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$"), c => c.Via, (c, v) => c with { Via = v }));

    internal static readonly ObjectSpec<ListenerLimitsConfig> Limits = new(
        "listenerLimits", "Bounds on what a client may send and how long it may take.", () => new ListenerLimitsConfig(),
        Time("requestHeadTimeout", "From the first byte of a request to the end of its head; then 408.",
            ConfigRanges.RequestHeadTimeout, c => c.RequestHeadTimeout, (c, v) => c with { RequestHeadTimeout = v }),
        Time("requestBodyIdleTimeout", "Longest wait between two reads of a request body; then 408.",
            ConfigRanges.RequestBodyIdleTimeout, c => c.RequestBodyIdleTimeout, (c, v) => c with { RequestBodyIdleTimeout = v }),
        Count("requestBodyRateMin", "Slowest request body in bytes per second, after \"requestBodyRateGrace\"; 0 for none.",
            ConfigRanges.RequestBodyRateMin, c => c.RequestBodyRateMin, (c, v) => c with { RequestBodyRateMin = v }),
        Time("requestBodyRateGrace", "Time before \"requestBodyRateMin\" applies.",
            ConfigRanges.RequestBodyRateGrace, c => c.RequestBodyRateGrace, (c, v) => c with { RequestBodyRateGrace = v }),
        Count("responseRateMin", "Slowest taking of a response in bytes per second while the client is waited for; who is behind it by \"responseRateGrace\" is reset. 0 for none.",
            ConfigRanges.ResponseRateMin, c => c.ResponseRateMin, (c, v) => c with { ResponseRateMin = v }),
        Time("responseRateGrace", "How far a client may be behind \"responseRateMin\".",
            ConfigRanges.ResponseRateGrace, c => c.ResponseRateGrace, (c, v) => c with { ResponseRateGrace = v }),
        Time("keepAliveTimeout", "How long a connection may wait for its next request.",
            ConfigRanges.KeepAliveTimeout, c => c.KeepAliveTimeout, (c, v) => c with { KeepAliveTimeout = v }),
        Count("requestsPerConnectionMax", "Requests served on one connection before it is closed, jittered by 10 %; 0 for no limit.",
            ConfigRanges.RequestsPerConnectionMax, c => c.RequestsPerConnectionMax, (c, v) => c with { RequestsPerConnectionMax = v }),
        Time("connectionAgeMax", "Age after which a connection is closed with its current request, jittered by 10 %; 0 for no limit.",
            ConfigRanges.ConnectionAgeMax, c => c.ConnectionAgeMax, (c, v) => c with { ConnectionAgeMax = v }),
        Time("writeIdleTimeout", "Longest wait for a client to take bytes; then the connection is reset.",
            ConfigRanges.WriteIdleTimeout, c => c.WriteIdleTimeout, (c, v) => c with { WriteIdleTimeout = v }),
        Size("requestLineBytesMax", "Largest request line; longer ones get 414.",
            ConfigRanges.RequestLineBytesMax, c => c.RequestLineBytesMax, (c, v) => c with { RequestLineBytesMax = v }),
        Size("requestHeadBytesMax", "Largest request head, request line included; longer ones get 431.",
            ConfigRanges.RequestHeadBytesMax, c => c.RequestHeadBytesMax, (c, v) => c with { RequestHeadBytesMax = v }),
        Count("requestHeaderCountMax", "Most header fields; more get 431.",
            ConfigRanges.RequestHeaderCountMax, c => c.RequestHeaderCountMax, (c, v) => c with { RequestHeaderCountMax = v }),
        new FieldSpec<ListenerLimitsConfig, long?>("requestBodyBytesMax", "Largest request body; larger ones get 413. null for no limit: bodies are streamed.",
            new OptionalSizeSpec(ConfigRanges.RequestBodyBytesMax), c => c.RequestBodyBytesMax, (c, v) => c with { RequestBodyBytesMax = v }));

    internal static readonly ObjectSpec<ListenerConfig> Listener = new(
        "listener", "A bound address that serves HTTP/1.1, or forwards TCP connections.", () => new ListenerConfig { Address = "" },
        new FieldSpec<ListenerConfig, string>("address",
            "\"host:port\", \":port\" (every address, IPv4 and IPv6), \"[::1]:port\" or \"unix:/path\". The host is an IP address or \"localhost\".",
            new TextSpec(pattern: "^(unix:/.+|[^/]*:[0-9]{1,5})$", examples: [":8080", "127.0.0.1:8080", "unix:/run/lb.sock"]),
            c => c.Address, (c, v) => c with { Address = v }) { IsRequired = true, OtherNames = ["bind", "listen", "url", "port"] },
        new FieldSpec<ListenerConfig, int>("backlog", "Length of the accept queue (the kernel caps it at net.core.somaxconn).",
            new CountSpec(ConfigRanges.Backlog), c => c.Backlog, (c, v) => c with { Backlog = v }),
        new FieldSpec<ListenerConfig, bool>("dualStack", "Whether an IPv6 wildcard address serves IPv4 too.",
            new FlagSpec(), c => c.DualStack, (c, v) => c with { DualStack = v }),
        new FieldSpec<ListenerConfig, int>("connectionsMax", "Most open connections; further ones are closed on accept. 0 for no limit.",
            new CountSpec(ConfigRanges.ListenerConnectionsMax), c => c.ConnectionsMax, (c, v) => c with { ConnectionsMax = v }),
        new FieldSpec<ListenerConfig, PerSourceConfig?>("perSource", "What one source may have of the connections. Left out: no limits.",
            AccessSpecs.PerSource!, c => c.PerSource, (c, v) => c with { PerSource = v }) { OtherNames = ["connectionsPerSourceMax", "perIp", "perClient"] },
        new FieldSpec<ListenerConfig, TimeSpan>("tcpKeepAlive", "Idle time before TCP keep-alive probes; 0 for none.",
            new DurationSpec(ConfigRanges.TcpKeepAlive), c => c.TcpKeepAlive, (c, v) => c with { TcpKeepAlive = v }),
        new FieldSpec<ListenerConfig, IReadOnlyList<string>>("trustedProxies",
            "Peers (CIDR) whose X-Forwarded-*, Forwarded and Via fields are believed and extended. None: a client's own are dropped.",
            new TextListSpec(new TextSpec(examples: ["10.0.0.0/8", "fd00::/8"])), c => c.TrustedProxies, (c, v) => c with { TrustedProxies = v }),
        new FieldSpec<ListenerConfig, AccessConfig?>("access",
            "Which clients are let in, by address. Left out: all that are not banned. A plain string is the only entry of \"block\".",
            AccessSpecs.Access!, c => c.Access, (c, v) => c with { Access = v }) { OtherNames = ["acl", "block", "allow", "deny", "ipFilter"] },
        new FieldSpec<ListenerConfig, ForwardedConfig>("forwarded", "Which fields tell the destination about the client.",
            Forwarded, c => c.Forwarded, (c, v) => c with { Forwarded = v }),
        new FieldSpec<ListenerConfig, ProxyProtocolConfig?>("proxyProtocol",
            "PROXY headers of proxies before this one, which say who the client is. Left out: none. A plain string is the only entry of \"trustedPeers\".",
            ProxyProtocolSpecs.ProxyProtocol!, c => c.ProxyProtocol, (c, v) => c with { ProxyProtocol = v }) { OtherNames = ["acceptProxy", "proxy"] },
        new FieldSpec<ListenerConfig, TlsConfig?>("tls", "Termination of TLS. Left out: none. A plain string is the \"file\" of the only certificate.",
            TlsSpecs.Tls!, c => c.Tls, (c, v) => c with { Tls = v }) { OtherNames = ["ssl", "https", "certificate"] },
        new FieldSpec<ListenerConfig, TcpConfig?>("tcp", "Forwarding of connections as they are, what \"tls\" has decrypted too. Left out: HTTP. A plain string is the \"cluster\".",
            TcpSpecs.Tcp!, c => c.Tcp, (c, v) => c with { Tcp = v }) { OtherNames = ["stream", "l4", "raw"] },
        new FieldSpec<ListenerConfig, ListenerLimitsConfig>("limits", "Sizes and times granted to clients.",
            Limits, c => c.Limits, (c, v) => c with { Limits = v }));

    private static FieldSpec<ListenerLimitsConfig, TimeSpan> Time(string name, string doc, DurationRange range,
        Func<ListenerLimitsConfig, TimeSpan> get, Func<ListenerLimitsConfig, TimeSpan, ListenerLimitsConfig> set) => new(name, doc, new DurationSpec(range), get, set);

    private static FieldSpec<ListenerLimitsConfig, int> Count(string name, string doc, NumberRange range,
        Func<ListenerLimitsConfig, int> get, Func<ListenerLimitsConfig, int, ListenerLimitsConfig> set) => new(name, doc, new CountSpec(range), get, set);

    private static FieldSpec<ListenerLimitsConfig, int> Size(string name, string doc, NumberRange range,
        Func<ListenerLimitsConfig, int> get, Func<ListenerLimitsConfig, int, ListenerLimitsConfig> set) => new(name, doc, new SmallSizeSpec(range), get, set);
}
