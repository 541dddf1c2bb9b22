using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Limiting.Tests;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void ABurstIsThereAtOnceAndThenTheRate()
    {
        var limit = new TokenBucket(quota: 10, Second, burst: 3, capacity: 64);
        long now = 5 * Second;
        Assert.That(Enumerable.Range(0, 3).Select(_ => limit.TryTake(1, 1, now)).Select(d => (d.IsAllowed, d.Remaining)), Is.EqualTo(new[] { (true, 2L), (true, 1L), (true, 0L) }));
        RateDecision refused = limit.TryTake(1, 1, now);
        Assert.That(refused, Is.EqualTo(new RateDecision(false, 0, Second / 10, 3 * Second / 10)));
        Assert.That(limit.TryTake(1, 1, now + refused.RetryAfter - 1).IsAllowed, Is.False);
        Assert.That(limit.TryTake(1, 1, now + refused.RetryAfter).IsAllowed, Is.True);
        Assert.That(limit.TryTake(2, 1, now).IsAllowed, Is.True, "another key has its own");
    }

    [Test]
    public void ACostBeyondTheBurstIsNeverAllowed()
    {
        var limit = new TokenBucket(10, Second, burst: 3, 64);
        Assert.That(limit.TryTake(1, 4, Second), Is.EqualTo(new RateDecision(false, 3, long.MaxValue, 0)));
        Assert.That(limit.TryTake(1, 3, Second).IsAllowed, Is.True, "what was refused took nothing");
    }

    [Test]
    public void ALookTakesNothing()
    {
        var limit = new TokenBucket(10, Second, burst: 1, 64);
        for (int i = 0; i < 5; i++) Assert.That(limit.Peek(1, 1, Second).IsAllowed, Is.True);
        limit.TryTake(1, 1, Second);
        Assert.That(limit.Peek(1, 1, Second).RetryAfter, Is.EqualTo(Second / 10));
    }

    [Test]
    public void ItDecidesAsABucketThatIsFilledWouldDo([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            int quota = random.Next(1, 50), burst = random.Next(1, 20);
            long period = quota * random.NextInt64(1, 1000), interval = period / quota, now = random.NextInt64(1, 1L << 40);
            var limit = new TokenBucket(quota, period, burst, 8);
            long tokens = burst * interval, last = now; // a token is as many units as it takes ticks
            for (int i = 0; i < 200; i++)
            {
                now += random.NextInt64(0, interval * 3);
                tokens = Math.Min(burst * interval, tokens + now - last);
                last = now;
                int cost = random.Next(1, 4);
                bool isAllowed = tokens >= cost * interval;
                if (isAllowed) tokens -= cost * interval;
                RateDecision decision = limit.TryTake(7, cost, now);
                Assert.That((decision.IsAllowed, decision.Remaining, decision.ResetAfter), Is.EqualTo((isAllowed, tokens / interval, burst * interval - tokens)), $"seed {seed}, round {round}, step {i}");
                if (!isAllowed && cost <= burst) Assert.That(decision.RetryAfter, Is.EqualTo(cost * interval - tokens));
            }
        }
    }

    [Test]
    public void ManyThreadsTakeNoMoreThanThereIs()
    {
        var limit = new TokenBucket(quota: 1000, Second, burst: 1000, 64);
        int allowed = 0;
        limit.TryTake(1, 1, Second); // known, so that no two threads bring it in
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 1000; i++)
            {
                if (limit.TryTake(1, 1, Second).IsAllowed) Interlocked.Increment(ref allowed);
            }
        });
        Assert.That(allowed, Is.EqualTo(999));
    }

    [Test]
    public void AFloodOfKeysDoesNotFreeTheOnesThatAreLimited()
    {
        var limit = new TokenBucket(quota: 10, 60 * Second, burst: 10, capacity: 4096);
        var random = new Random(1);
        ulong[] limited = [.. Enumerable.Range(0, 100).Select(_ => (ulong)random.NextInt64())];
        long now = Second;
        foreach (ulong key in limited)
            for (int i = 0; i < 10; i++) limit.TryTake(key, 1, now);
        for (int i = 0; i < 2_000_000; i++) limit.TryTake((ulong)random.NextInt64(), 1, now);
        Assert.That(limited.Count(key => limit.TryTake(key, 1, now).IsAllowed), Is.Zero);
        Assert.That(limit.Capacity, Is.EqualTo(4096));
    }
}
