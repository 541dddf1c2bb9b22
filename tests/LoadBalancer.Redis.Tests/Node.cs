using LoadBalancer.Limiting.Rates;
using LoadBalancer.Testing;

namespace LoadBalancer.Redis.Tests;

/// <summary>A node with one shared limit: of a token in hours, so that nothing comes back while a test runs.</summary>
public sealed class Node : IAsyncDisposable
{
    public const int Burst = 100;
    public static readonly TimeSpan Interval = TimeSpan.FromDays(1) / 10; // 10/d

    private readonly TimeProvider _time;

    public Node(RedisOptions options, TimeProvider time, int keysNoted = TakenCosts.DefaultCapacity, ErrorLog? log = null, TokenBucket? bucket = null)
    {
        _time = time;
        Log = log ?? new();
        Taken = new(keysNoted);
        Bucket = bucket ?? new TokenBucket(10, 86_400 * time.TimestampFrequency, Burst, 65_536) { Taken = Taken };
        Limits = new(options, [new("all", Bucket)], Log, time);
    }

    public TokenBucket Bucket { get; }

    public TakenCosts Taken { get; }

    public RedisLimits Limits { get; }

    public ErrorLog Log { get; }

    public bool Take(ulong key, int cost = 1) => Bucket.TryTake(key, cost, _time.GetTimestamp()).IsAllowed;

    /// <summary>As many as it gives, one by one.</summary>
    public int TakeAll(ulong key)
    {
        int taken = 0;
        while (Take(key)) taken++;
        return taken;
    }

    public long Remaining(ulong key) => Bucket.Peek(key, 1, _time.GetTimestamp()).Remaining + (Bucket.Peek(key, 1, _time.GetTimestamp()).IsAllowed ? 1 : 0);

    public Task SyncAsync(CancellationToken token) => Limits.SyncAsync(token);

    /// <summary>Lets it find Redis, by hand: nothing runs by itself.</summary>
    public async Task ConnectAsync(CancellationToken token)
    {
        while (!Limits.IsShared)
        {
            await SyncAsync(token);
            await Task.Delay(5, token); // the client library gives no event for it
        }
    }

    public ValueTask DisposeAsync() => Limits.DisposeAsync();
}
