using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Acme.Tests;

/// <summary>Attempts as they come.</summary>
internal sealed class AcmeWatch : IAcmeObserver
{
    private readonly Channel<AcmeRecord> _records = Channel.CreateUnbounded<AcmeRecord>();

    public void OnAttempt(AcmeRecord record) => _records.Writer.TryWrite(record);

    internal bool IsEmpty => _records.Reader.Count == 0;

    /// <summary>The next one, while the clock goes on for what waits between the requests of an order.</summary>
    internal async Task<AcmeRecord> NextAsync(FakeTimeProvider time, CancellationToken token)
    {
        Task<AcmeRecord> next = _records.Reader.ReadAsync(token).AsTask();
        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(next, Task.Delay(20, token)); // another program gives no event to wait for
        }
        return await next;
    }
}
