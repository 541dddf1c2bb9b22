using LoadBalancer.Limiting.Keys;
using LoadBalancer.Limiting.Rates;

namespace LoadBalancer.Limiting.Tests;

/// <summary>Buckets that several nodes share: what is noted, what is raised, and how far off they are together.</summary>
public sealed class SharedBucketTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void WhatIsTakenIsNotedUntilItIsAskedFor()
    {
        TokenBucket bucket = Shared(quota: 10, burst: 10);
        for (int i = 0; i < 12; i++) bucket.TryTake(1, 1, Second);
        bucket.TryTake(2, 3, Second);
        bucket.Peek(3, 1, Second);
        Assert.That((bucket.Taken!.Of(1), bucket.Taken.Of(2), bucket.Taken.Of(3)), Is.EqualTo((10L, 3L, 0L)), "what is refused is not taken");
        var costs = new List<KeyCost>();
        Assert.That(bucket.Taken.Drain(costs), Is.EqualTo(13));
        Assert.That(costs, Is.EquivalentTo(new KeyCost[] { new(1, 10), new(2, 3) }));
        Assert.That((bucket.Taken.Of(1), bucket.Taken.Drain(costs)), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public void ATakeThatIsNoted_AllocatesNothing()
    {
        TokenBucket bucket = Shared(quota: 10, burst: 10);
        bucket.TryTake(1, 1, Second);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (uint i = 0; i < 10_000; i++) bucket.TryTake(i * 0x9E37_79B9u, 1, Second);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void AFloodOfKeysIsCountedWhereItIsNotNoted()
    {
        TokenBucket bucket = Shared(quota: 10, burst: 10);
        for (ulong i = 1; i <= 100_000; i++) bucket.TryTake(i * 0x9E37_79B9_7F4A_7C15, 1, Second);
        var costs = new List<KeyCost>();
        long noted = bucket.Taken!.Drain(costs);
        Assert.That((noted + bucket.Taken.OverflowTotal, costs.Count), Is.EqualTo((100_000L, bucket.Taken.Capacity)));
    }

    [Test]
    public void ManyThreadsNoteAllThatIsTaken()
    {
        TokenBucket bucket = Shared(quota: 1_000_000, burst: 1_000_000);
        var costs = new List<KeyCost>();
        for (ulong key = 1; key <= 8; key++) bucket.TryTake(key, 1, Second); // known, so that no two threads bring one in
        using var over = new CancellationTokenSource();
        long drained = 0;
        var drain = Task.Run(() =>
        {
            while (!over.IsCancellationRequested) drained += bucket.Taken!.Drain(costs);
        });
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < 50_000; i++) bucket.TryTake((ulong)(i % 8) + 1, 1, Second);
        });
        over.Cancel();
        drain.Wait();
        Assert.That(drained + bucket.Taken!.Drain(costs), Is.EqualTo(200_008));
    }

    [Test]
    public void ABucketIsRaisedButNeverLowered()
    {
        TokenBucket bucket = Shared(quota: 10, burst: 10);
        bucket.TryTake(1, 4, Second);
        bucket.Taken!.Drain([]);
        bucket.Raise(1, Second * 3 / 10, Second);
        Assert.That(bucket.Owed(1, Second), Is.EqualTo(Second * 4 / 10));
        bucket.Raise(1, Second * 6 / 10, Second);
        Assert.That(bucket.Owed(1, Second), Is.EqualTo(Second * 6 / 10));
        bucket.TryTake(1, 2, Second);
        bucket.Raise(1, Second * 7 / 10, Second);
        Assert.That(bucket.Owed(1, Second), Is.EqualTo(Second * 9 / 10), "what it has not told yet comes on top");
        bucket.Raise(1, Second * 25 / 10, Second);
        RateDecision refused = bucket.TryTake(1, 1, Second);
        Assert.That(refused, Is.EqualTo(new RateDecision(false, 0, Second * 18 / 10, Second * 27 / 10)), "a bucket may be further than empty");
        Assert.That(bucket.TryTake(1, 1, Second + refused.RetryAfter).IsAllowed, Is.True);
    }

    [TestCase(long.MaxValue), TestCase(long.MinValue), TestCase(-1)]
    public void NoWordFromElsewhereIsTrusted(long owed)
    {
        TokenBucket bucket = Shared(quota: 10, burst: 10);
        bucket.Raise(1, owed, Second);
        Assert.That(bucket.Owed(1, Second), Is.EqualTo(owed < 0 ? 0 : TokenBucket.SharersMax * Second));
        var longest = new TokenBucket(1, long.MaxValue / 4, 4, 8);
        longest.Raise(1, owed, Second);
        Assert.That(longest.Owed(1, Second), Is.InRange(0, longest.OwedMax));
    }

    [Test]
    public void NodesTogetherStayWithinTheBound([Values(1, 2, 3, 4)] int seed, [Values(2, 5)] int nodes)
    {
        // Redis is a dictionary of one entry here; what it does is what the script does.
        const int quota = 100, burst = 20;
        const long interval = Second / 10, roundTrip = Second / 50, token = Second / quota;
        var random = new Random(seed);
        TokenBucket[] buckets = [.. Enumerable.Range(0, nodes).Select(_ => Shared(quota, burst))];
        long[] nextSync = [.. Enumerable.Range(0, nodes).Select(_ => Second + random.NextInt64(interval))];
        var words = new PriorityQueue<(int Node, long Owed, long Sent), long>();
        long common = 0, bound = burst + (nodes - 1) * (burst + 2 * quota * (interval + roundTrip) / Second);
        var taken = new List<long>();
        for (long now = Second; now < 31 * Second; now += Second / 2000)
        {
            while (words.TryPeek(out (int Node, long Owed, long Sent) word, out long due) && due <= now)
            {
                words.Dequeue();
                buckets[word.Node].Raise(1, word.Owed, word.Sent);
            }
            for (int node = 0; node < nodes; node++)
            {
                // Now all press, now some, now one: what others know goes stale.
                bool presses = random.Next(nodes) <= now / Second % nodes;
                if (presses && buckets[node].TryTake(1, 1, now).IsAllowed) taken.Add(now);
                if (now < nextSync[node]) continue;
                nextSync[node] += interval;
                var costs = new List<KeyCost>();
                long cost = buckets[node].Taken!.Drain(costs);
                if (cost == 0) continue;
                common = Math.Max(common, now) + buckets[node].TicksFor(cost);
                words.Enqueue((node, common - now, now), now + random.NextInt64(roundTrip));
            }
        }
        // In any time between two takes.
        long worst = 0, least = long.MaxValue; // of count − rate · time
        for (int i = 0; i < taken.Count; i++)
        {
            long excess = i * token - taken[i];
            least = Math.Min(least, excess);
            worst = Math.Max(worst, excess - least + token);
        }
        TestContext.Out.WriteLine($"{taken.Count} in 30 s of {quota}/s; at most {worst / token} beyond the rate, bound {bound}");
        Assert.That(worst / token, Is.LessThanOrEqualTo(bound));
        Assert.That(taken.Count, Is.InRange(30 * quota - quota, 30 * quota + bound), "in the long run the rate holds, and is used");
    }

    [Test]
    public void NodesThatKnowASecretMakeTheSameKeys()
    {
        static ulong KeyOf(string secret, string limit)
        {
            var hash = new KeyHash(KeySecret.Of(secret, limit));
            hash.Add("client"u8);
            return hash.ToKey();
        }

        Assert.That(KeyOf("0123456789abcdef", "a"), Is.EqualTo(KeyOf("0123456789abcdef", "a")));
        Assert.That(new[] { KeyOf("0123456789abcdef", "a"), KeyOf("0123456789abcdef", "b"), KeyOf("0123456789abcdeg", "a") }, Is.Unique);
    }

    private static TokenBucket Shared(int quota, int burst) => new(quota, Second, burst, 4096) { Taken = new(64) };
}
