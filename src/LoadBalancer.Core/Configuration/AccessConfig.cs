namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Which clients a listener lets in, by the lists of <see cref="ProxyConfig.AddressLists"/>: looked at when a connection is accepted, before TLS. Of a connection with a
/// PROXY header, the address in it; of a request from one of the <see cref="ListenerConfig.TrustedProxies"/>, the one that the proxy names.
/// </summary>
public sealed record AccessConfig
{
    /// <summary>Lists of those who are let in; everybody else is kept out. Empty (default): everybody.</summary>
    public IReadOnlyList<string> Allow { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Lists of those who are kept out, also where they are in <see cref="Allow"/>. Empty (default): nobody.</summary>
    public IReadOnlyList<string> Block { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Keep nobody out; records and the meter tell who would have been. Default false.</summary>
    public bool DryRun { get; init; }
}
