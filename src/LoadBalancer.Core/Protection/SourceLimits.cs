using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;
using LoadBalancer.Limiting.Concurrency;
using LoadBalancer.Limiting.Keys;
using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Core.Protection;

/// <summary>The connections that each source has of a listener, and how fast new ones come. Thread-safe, in tables of fixed size.</summary>
internal sealed class SourceLimits
{
    /// <summary>The name under which refusals are noted.</summary>
    internal const string Policy = "perSource";

    // Sources that are known at a time. A few times the connections that may be open, so that none is left uncounted.
    private const int SourcesMin = 1 << 12, SourcesDefault = 1 << 17, SourcesMax = 1 << 20, SourcesPerConnection = 4;

    private readonly KeySecret _secret = KeySecret.Random();
    private readonly KeyedConcurrency? _connections;
    private readonly TokenBucket? _rate;

    internal SourceLimits(PerSourceConfig config, int connectionsMax, TimeProvider time)
    {
        IsDryRun = config.DryRun;
        int capacity = connectionsMax == 0 ? SourcesDefault : (int)Math.Clamp((long)connectionsMax * SourcesPerConnection, SourcesMin, SourcesMax);
        if (config.ConnectionsMax > 0) _connections = new KeyedConcurrency(config.ConnectionsMax, capacity);
        if (config.NewConnectionsPerSecondMax > 0)
            _rate = new TokenBucket(config.NewConnectionsPerSecondMax, time.TimestampFrequency, config.NewConnectionsBurst > 0 ? config.NewConnectionsBurst : config.NewConnectionsPerSecondMax, capacity);
    }

    /// <summary>Whether it only tells.</summary>
    internal bool IsDryRun { get; }

    /// <summary>Counts a new connection: why it is refused, or none. <see cref="Leave"/> is owed for the ticket.</summary>
    // Hot path: per connection. 0 allocations.
    internal EndReason TryEnter(in PeerAddress client, long timestamp, out int ticket)
    {
        ticket = KeyedConcurrency.Uncounted;
        if (client.Family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) return EndReason.None;
        AddressBlock source = AddressBlockText.OfClient(client);
        var hash = new KeyHash(_secret);
        hash.Add((ulong)(source.First >> 64));
        hash.Add((ulong)source.First);
        ulong key = hash.ToKey();
        if (_rate is not null && !_rate.TryTake(key, 1, timestamp).IsAllowed) return EndReason.SourceConnectionRateExceeded;
        if (_connections is null) return EndReason.None;
        ticket = _connections.TryEnter(key);
        return ticket == KeyedConcurrency.Refused ? EndReason.SourceConnectionsExceeded : EndReason.None;
    }

    /// <summary>A connection that was let in has ended.</summary>
    internal void Leave(int ticket) => _connections?.Leave(ticket);
}
