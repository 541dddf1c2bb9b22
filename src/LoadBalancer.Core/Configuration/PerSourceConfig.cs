namespace LoadBalancer.Core.Configuration;

/// <summary>
/// What one source may have of a listener: an IPv4 address, or a /64 of IPv6. Of a connection with a PROXY header, the address in it. The connections of
/// <see cref="ListenerConfig.TrustedProxies"/>, which many clients share, are not counted.
/// </summary>
public sealed record PerSourceConfig
{
    /// <summary>Most open connections; further ones are reset at accept. 0 (default) for no limit.</summary>
    public int ConnectionsMax { get; init; }

    /// <summary>Most new connections in a second; further ones are reset at accept. 0 (default) for no limit.</summary>
    public int NewConnectionsPerSecondMax { get; init; }

    /// <summary>How many new connections may come at once. 0 (default): as many as in a second.</summary>
    public int NewConnectionsBurst { get; init; }

    /// <summary>Refuse nothing; records and the meter tell what would have been. Default false.</summary>
    public bool DryRun { get; init; }
}
