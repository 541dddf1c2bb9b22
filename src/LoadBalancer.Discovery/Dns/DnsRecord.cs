using System.Net;

namespace LoadBalancer.Discovery.Dns;

/// <summary>A record that was asked for, an alias on the way to one, or an address beside one.</summary>
/// <param name="Owner">Name it is of, without the dot at the end.</param>
/// <param name="Type">Which of the others are set.</param>
/// <param name="TtlSeconds">0 for what RFC 2181 §8 calls negative.</param>
internal sealed record DnsRecord(string Owner, DnsRecordType Type, uint TtlSeconds)
{
    /// <summary>Of A and AAAA.</summary>
    internal IPAddress? Address { get; init; }

    /// <summary>Of CNAME and SRV; empty for the root.</summary>
    internal string Target { get; init; } = "";

    internal ushort Priority { get; init; }
    internal ushort Weight { get; init; }
    internal ushort Port { get; init; }
}
