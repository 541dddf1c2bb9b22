namespace LoadBalancer.Core.Configuration;

/// <summary>PROXY headers (haproxy's PROXY protocol, versions 1 and 2) that tell a listener who is behind the connections of another proxy.</summary>
public sealed record ProxyProtocolConfig
{
    /// <summary>
    /// Peers (CIDR) whose header is believed. At least one, except on a Unix socket, where it stays empty: who may connect there is decided by the permissions
    /// of its file.
    /// </summary>
    public IReadOnlyList<string> TrustedPeers { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Which connections have a header. Default <see cref="ProxyProtocolMode.Required"/>.</summary>
    public ProxyProtocolMode Mode { get; init; } = ProxyProtocolMode.Required;

    /// <summary>From the accept to the end of the header; then the connection is closed. Default 5 s (HAProxy: its client time-out, nginx: 60 s).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Which connections of a listener have a PROXY header. No mode reads the header of a peer that is not trusted.</summary>
public enum ProxyProtocolMode
{
    /// <summary>All: those of other peers, and those without a header, are closed (HAProxy accept-proxy).</summary>
    Required,
    /// <summary>Those of trusted peers; other peers are served as clients of their own (HAProxy expect-proxy … if { src … }).</summary>
    FromTrusted,
    /// <summary>
    /// As <see cref="FromTrusted"/>, and a trusted peer may leave it out. While it does, its own clients can send a header themselves and pass for anybody: to
    /// change a running system, not to stay.
    /// </summary>
    Optional,
}

/// <summary>The PROXY header that destinations get in front of what is forwarded to them.</summary>
public enum ProxyProtocolVersion
{
    /// <summary>None.</summary>
    Off,
    /// <summary>A line of text.</summary>
    V1,
    /// <summary>Binary.</summary>
    V2,
}
