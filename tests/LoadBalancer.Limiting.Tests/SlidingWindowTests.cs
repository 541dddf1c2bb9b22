using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Limiting.Tests;

public sealed class SlidingWindowTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void TheQuotaIsNotThereTwiceInAPeriod()
    {
        var limit = new SlidingWindow(quota: 10, Second, capacity: 64);
        long late = 10 * Second - 1; // the end of a window
        for (int i = 0; i < 10; i++) Assert.That(limit.TryTake(1, 1, late).IsAllowed, Is.True);
        Assert.That(limit.TryTake(1, 1, late).IsAllowed, Is.False);
        Assert.That(limit.TryTake(1, 1, 10 * Second).IsAllowed, Is.False, "the next window has just begun");
        Assert.That(limit.TryTake(1, 1, 10 * Second + Second / 2), Is.EqualTo(new RateDecision(true, 4, 0, Second / 2 + Second)), "half of it has slid out");
        Assert.That(limit.TryTake(1, 10, 12 * Second).IsAllowed, Is.True);
    }

    [Test]
    public void WhatIsRefusedIsAllowedWhenItSaysAndNotMuchBefore([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 2000; round++)
        {
            int quota = random.Next(1, 1000), cost = random.Next(1, quota + 1);
            long period = random.NextInt64(1000, 1L << 40), now = random.NextInt64(period, 1L << 50);
            var limit = new SlidingWindow(quota, period, 8);
            for (int i = 0; i < 20; i++)
            {
                now += random.NextInt64(0, period / 4);
                if (limit.TryTake(3, random.Next(1, quota / 3 + 2), now).IsAllowed) continue;
                RateDecision refused = limit.Peek(3, cost, now);
                if (refused.IsAllowed) continue;
                Assert.That(limit.Peek(3, cost, now + refused.RetryAfter).IsAllowed, Is.True, $"seed {seed}, round {round}");
                if (refused.RetryAfter > period / 50) Assert.That(limit.Peek(3, cost, now + refused.RetryAfter - period / 50).IsAllowed, Is.False, $"seed {seed}, round {round}");
            }
        }
    }

    [Test]
    public void AnEvenStreamIsLetThroughAtTheRate()
    {
        var limit = new SlidingWindow(quota: 100, Second, 64);
        int allowed = 0;
        for (long now = Second; now < 11 * Second; now += Second / 1000)
            if (limit.TryTake(1, 1, now).IsAllowed) allowed++;
        Assert.That(allowed, Is.EqualTo(1000).Within(60)); // the first window has none before it
    }

    [Test]
    public void WhatWasCountedLongAgoCountsNoMore()
    {
        var limit = new SlidingWindow(quota: 5, Second, 64);
        for (int i = 0; i < 5; i++) limit.TryTake(1, 1, 3 * Second);
        foreach (long after in new long[] { 2, 3, 1000, 1 << 20 })
            Assert.That(limit.Peek(1, 5, (3 + after) * Second).IsAllowed, Is.True, $"after {after} windows");
    }

    [Test]
    public void AFloodOfKeysDoesNotFreeTheOnesThatAreLimited()
    {
        var limit = new SlidingWindow(quota: 10, 60 * Second, capacity: 4096);
        var random = new Random(1);
        ulong[] limited = [.. Enumerable.Range(0, 100).Select(_ => (ulong)random.NextInt64())];
        long now = 60 * Second;
        foreach (ulong key in limited)
            for (int i = 0; i < 10; i++) limit.TryTake(key, 1, now);
        for (int i = 0; i < 1_000_000; i++) limit.TryTake((ulong)random.NextInt64(), 1, now);
        Assert.That(limited.Count(key => limit.TryTake(key, 1, now).IsAllowed), Is.Zero);
    }
}
