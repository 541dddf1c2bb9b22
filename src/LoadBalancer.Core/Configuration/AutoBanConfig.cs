namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Bans who is refused too often: by address lists, block rules or limits; not by a ban, and not in a dry run. Counted by IPv4 address or /64 of IPv6; behind a PROXY
/// header or a trusted proxy, by that of the client named there. Trusted peers and trusted proxies are never banned.
/// </summary>
public sealed record AutoBanConfig
{
    /// <summary>So many refusals lead to a ban. 1 to 1,000,000; must be given.</summary>
    public int Refusals { get; init; }

    /// <summary>In this time. Default 1 min.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the ban lasts. Default 10 min.</summary>
    public TimeSpan For { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Address lists (<see cref="ProxyConfig.AddressLists"/>) of those who are never banned.</summary>
    public IReadOnlyList<string> Ignore { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Ban nobody; the log, records and the meter tell who would be. Default false.</summary>
    public bool DryRun { get; init; }
}
