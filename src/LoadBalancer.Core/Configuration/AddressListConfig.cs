namespace LoadBalancer.Core.Configuration;

/// <summary>Addresses under one name: those given here and those of a file together. At most 1,000,000 blocks each.</summary>
public sealed record AddressListConfig
{
    /// <summary>Blocks ("10.0.0.0/8", "2001:db8::/32") and single addresses.</summary>
    public IReadOnlyList<string> Addresses { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>
    /// A text file with a block on each line; what stands behind "#" or ";" does not count. It is watched: a change is used within some seconds; what cannot be used is
    /// logged and changes nothing. At most 64 MiB. Null (default) for none.
    /// </summary>
    public string? File { get; init; }
}
