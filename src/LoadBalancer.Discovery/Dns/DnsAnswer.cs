namespace LoadBalancer.Discovery.Dns;

/// <summary>What a query came to.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Records">Those of the asked type, for the name or what it is an alias of.</param>
/// <param name="Beside">Addresses that came unasked, in the additional section.</param>
/// <param name="TtlSeconds">The lowest on the way, aliases included.</param>
/// <param name="Problem">What failed, as the rest of a sentence that starts with the name; empty when nothing did.</param>
internal sealed record DnsAnswer(DnsStatus Status, IReadOnlyList<DnsRecord> Records, IReadOnlyList<DnsRecord> Beside, uint TtlSeconds, string Problem)
{
    internal static DnsAnswer Failed(string problem) => new(DnsStatus.Failed, [], [], 0, problem);
}

/// <summary>How a query ended.</summary>
internal enum DnsStatus
{
    /// <summary>There are records.</summary>
    Found,
    /// <summary>The name server says that there are none: no such name, or no such record of it.</summary>
    None,
    /// <summary>No name server said anything of use.</summary>
    Failed,
    /// <summary>The answer is too large for a datagram.</summary>
    Truncated,
}
