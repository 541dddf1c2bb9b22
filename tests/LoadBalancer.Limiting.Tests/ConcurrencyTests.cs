using LoadBalancer.Limiting.Concurrency;

namespace LoadBalancer.Limiting.Tests;

public sealed class ConcurrencyTests
{
    [Test]
    public void EachKeyHasItsOwnPlaces()
    {
        var limit = new KeyedConcurrency(max: 2, capacity: 64);
        int one = limit.TryEnter(1), two = limit.TryEnter(1);
        Assert.That((one, two), Is.EqualTo((one, one)).And.Not.EqualTo((-1, -1)));
        Assert.That(limit.TryEnter(1), Is.EqualTo(KeyedConcurrency.Refused));
        Assert.That(limit.TryEnter(2), Is.GreaterThanOrEqualTo(0));
        limit.Leave(one);
        Assert.That(limit.TryEnter(1), Is.EqualTo(one));
        Assert.That(limit.Inside(1), Is.EqualTo(2));
    }

    [Test]
    public void WhereAllPlacesAreInUseAKeyIsLetInUncounted()
    {
        var limit = new KeyedConcurrency(max: 1, capacity: 8);
        int[] tickets = [.. Enumerable.Range(1, 8).Select(key => limit.TryEnter((ulong)key))];
        Assert.That(tickets, Is.All.GreaterThanOrEqualTo(0));
        Assert.That((limit.TryEnter(9), limit.UncountedTotal), Is.EqualTo((KeyedConcurrency.Uncounted, 1)));
        limit.Leave(KeyedConcurrency.Uncounted);
        limit.Leave(tickets[3]);
        Assert.That(limit.TryEnter(9), Is.EqualTo(tickets[3]));
    }

    [Test]
    public void NothingIsCountedTwiceOrLostBetweenThreads()
    {
        var limit = new KeyedConcurrency(max: 3, capacity: 8);
        int[] inside = new int[40];
        int tooMany = 0;
        Parallel.For(0, 8, thread =>
        {
            var random = new Random(thread);
            for (int i = 0; i < 50_000; i++)
            {
                int key = random.Next(1, inside.Length);
                int ticket = limit.TryEnter((ulong)key);
                if (ticket < 0) continue;
                if (Interlocked.Increment(ref inside[key]) > 3) Interlocked.Increment(ref tooMany);
                Interlocked.Decrement(ref inside[key]);
                limit.Leave(ticket);
            }
        });
        Assert.That(Enumerable.Range(1, inside.Length - 1).Sum(key => limit.Inside((ulong)key)), Is.Zero);
        Assert.That(tooMany, Is.LessThan(20), "two threads may bring in one key at once");
    }

    // A server that works on ten at a time for 10 ms each; what is more waits. Time is the test's.
    private static int Settle(AdaptiveLimit limit, int offered, int servers, double serviceMilliseconds)
    {
        double now = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int admitted = 0;
            while (admitted < offered && limit.TryEnter(LoadPriority.High)) admitted++;
            double latency = serviceMilliseconds * Math.Max(1, (double)admitted / servers);
            now += latency;
            for (int k = 0; k < admitted; k++) limit.Leave((long)(latency * 1000), (long)(now * 1000));
        }
        return limit.Limit;
    }

    [Test]
    public void TheLimitGrowsWhileLatencyStaysAndIsUsed()
    {
        var limit = new AdaptiveLimit(new() { WindowTicks = 100_000, InitialLimit = 20, LimitMax = 200 });
        Assert.That(Settle(limit, offered: 1000, servers: 1000, 10), Is.EqualTo(200));
        limit = new AdaptiveLimit(new() { WindowTicks = 100_000, InitialLimit = 20, LimitMax = 200 });
        Assert.That(Settle(limit, offered: 5, servers: 1000, 10), Is.EqualTo(20), "not used");
    }

    [Test]
    public void TheLimitFallsWhenLatencyRises()
    {
        var limit = new AdaptiveLimit(new() { WindowTicks = 100_000, InitialLimit = 20, LimitMax = 2000 });
        Settle(limit, offered: 30, servers: 40, 10);
        int before = limit.Limit;
        // The servers slow down: the same load takes five times as long.
        for (int i = 0; i < 60; i++)
        {
            int admitted = 0;
            while (admitted < 30 && limit.TryEnter(LoadPriority.High)) admitted++;
            for (int k = 0; k < admitted; k++) limit.Leave(50_000, 1_000_000_000 + i * 200_000L);
        }
        Assert.That(limit.Limit, Is.LessThan(before / 2));
        Assert.That(limit.Outstanding, Is.Zero);
    }

    [Test]
    public void WhoMattersLessIsTurnedAwayFirst()
    {
        var limit = new AdaptiveLimit(new() { WindowTicks = 1000, InitialLimit = 100 });
        int Fill(LoadPriority priority)
        {
            int count = 0;
            while (limit.TryEnter(priority)) count++;
            return count;
        }
        Assert.That((Fill(LoadPriority.Low), Fill(LoadPriority.Normal), Fill(LoadPriority.High)), Is.EqualTo((70, 20, 10)));
    }
}
