using System.Threading.Channels;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Hands each look at a source to the test.</summary>
internal sealed class DiscoveryWatch : IDiscoveryObserver
{
    private readonly Channel<DiscoveryRecord> _records = Channel.CreateUnbounded<DiscoveryRecord>();

    public void OnRefreshed(DiscoveryRecord record) => _records.Writer.TryWrite(record);

    internal async Task<DiscoveryRecord> NextAsync(CancellationToken token) => await _records.Reader.ReadAsync(token);

    internal async Task<DiscoveryRecord> NextAsync(Predicate<DiscoveryRecord> match, CancellationToken token)
    {
        while (true)
            if (await NextAsync(token) is var record && match(record)) return record;
    }
}
