namespace LoadBalancer.Core.Events;

/// <summary>Kinds of <see cref="ServerEvent"/>s. Names are stable: they stand in what programs read.</summary>
public enum ServerEventKind : byte
{
    /// <summary>The server takes requests.</summary>
    ServerStarted,
    /// <summary>The server takes no new connections, and finishes what it has.</summary>
    ServerDraining,
    /// <summary>Another configuration is in use.</summary>
    ConfigurationReloaded,
    /// <summary>Another process was to take over: whether it has.</summary>
    Upgraded,
    /// <summary>A new configuration cannot be used; the one before stays.</summary>
    ConfigurationRefused,
    /// <summary>Health probes have found a destination unfit.</summary>
    DestinationUnhealthy,
    /// <summary>Health probes have found a destination well again.</summary>
    DestinationHealthy,
    /// <summary>A destination is left alone for a time, as too much failed there.</summary>
    DestinationEjected,
    /// <summary>An ejected destination is used again.</summary>
    DestinationReturned,
    /// <summary>A destination gets nothing new.</summary>
    DestinationDraining,
    /// <summary>A destination that was draining is used again.</summary>
    DestinationEnabled,
    /// <summary>A server has registered itself.</summary>
    DestinationRegistered,
    /// <summary>A registration has other settings, or another address.</summary>
    DestinationChanged,
    /// <summary>A registration was taken back.</summary>
    DestinationRemoved,
    /// <summary>A registration was not renewed in time.</summary>
    DestinationExpired,
    /// <summary>A source other than registrations has given a cluster other destinations.</summary>
    DestinationsUpdated,
    /// <summary>Another certificate, or other authorities of clients, are in use.</summary>
    CertificateReplaced,
    /// <summary>What stands in the files of a certificate cannot be used; what was read before is.</summary>
    CertificateFailing,
    /// <summary>The files of a certificate hold again what is in use.</summary>
    CertificateRestored,
    /// <summary>A certificate is about to end, has ended, or is not valid yet.</summary>
    CertificateExpiring,
    /// <summary>Files were read again because somebody asked for it.</summary>
    CertificatesReloaded,
    /// <summary>An address list has other entries.</summary>
    AddressListReplaced,
    /// <summary>The file of an address list cannot be used; what was read before is.</summary>
    AddressListFailing,
    /// <summary>The file of an address list holds again what is in use.</summary>
    AddressListRestored,
    /// <summary>Addresses are kept out for a time.</summary>
    Banned,
    /// <summary>A ban was ended before its time.</summary>
    BanEnded,
    /// <summary>A list, rule or limit refuses requests or connections: the first one, and then how many, ever more rarely.</summary>
    Refusals,
    /// <summary>Stored answers were purged.</summary>
    CachePurged,
    /// <summary>A follower of the events did not keep up, and was let go.</summary>
    FollowerDropped,
}
