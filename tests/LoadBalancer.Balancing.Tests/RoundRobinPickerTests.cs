namespace LoadBalancer.Balancing.Tests;

public class RoundRobinPickerTests
{
    private static readonly PickContext Any = new(Timestamp: 0); // not default, whose Exclude is 0
    private static readonly PickOutcome Success = new(PickOutcomeKind.Success, 0, 0, 0);

    private static readonly int[][] WeightSets =
    [
        [1], [1, 1], [1, 1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [10, 20, 30], [1000, 1], [7, 11, 13, 17],
        [4095, 1], [4096, 1], [1000, 999, 998, 997, 996], [1, 100_000], [2048, 1024, 4096, 8191],
    ];

    [Test]
    public void Pick_NoDestinations_ReturnsNone() =>
        Assert.That(new RoundRobinPicker([], new Random(1)).Pick(Any), Is.EqualTo(-1));

    [Test]
    public void Pick_WeightsFiveOneOne_FollowsThePublishedSmoothOrder()
    {
        var picker = new RoundRobinPicker([5, 1, 1], firstTurn: 0);
        Assert.That(Picks(picker, 14), Is.EqualTo("aabacaaaabacaa"));
    }

    [Test]
    public void Pick_EqualWeights_GoesRound()
    {
        var picker = new RoundRobinPicker([7, 7, 7], firstTurn: 0);
        Assert.That(Picks(picker, 7), Is.EqualTo("abcabca"));
    }

    [TestCaseSource(nameof(WeightSets))]
    public void Pick_WholeCycles_GivesEachExactlyItsShare(int[] weights)
    {
        const int Cycles = 3;
        int divisor = weights.Aggregate((a, b) => { while (b != 0) (a, b) = (b, a % b); return a; });
        int cycle = weights.Sum() / divisor;
        var picker = new RoundRobinPicker(weights, new Random(42));
        int[] counts = new int[weights.Length];
        for (int i = 0; i < cycle * Cycles; i++) counts[picker.Pick(new PickContext(0))]++;
        Assert.That(counts, Is.EqualTo(weights.Select(weight => weight / divisor * Cycles)));
    }

    // Smoothness: in every window each destination is near its share. Consecutive turns of a long cycle follow a golden-section
    // sequence, whose discrepancy grows with the logarithm of the window.
    [TestCase(new[] { 1000, 999, 998, 997, 996 })]
    [TestCase(new[] { 1, 100_000, 50_000 })]
    [TestCase(new[] { 9, 5, 3, 1 })]
    public void Pick_AnyWindow_StaysNearTheShares(int[] weights)
    {
        var picker = new RoundRobinPicker(weights, new Random(42));
        double sum = weights.Sum();
        int[] counts = new int[weights.Length];
        for (int n = 1; n <= 20_000; n++)
        {
            counts[picker.Pick(new PickContext(0))]++;
            for (int i = 0; i < weights.Length; i++)
            {
                if (Math.Abs(counts[i] - n * weights[i] / sum) > 8) Assert.Fail($"after {n} picks destination {i} has {counts[i]}, not about {n * weights[i] / sum}");
            }
        }
    }

    [Test]
    public void Pick_DifferentSeeds_BeginsAtDifferentDestinations()
    {
        int[] weights = [.. Enumerable.Repeat(1, 10)];
        var first = Enumerable.Range(0, 100).Select(seed => new RoundRobinPicker(weights, new Random(seed)).Pick(Any)).ToHashSet();
        Assert.That(first, Has.Count.GreaterThan(5));
    }

    [TestCaseSource(nameof(WeightSets))]
    public void Pick_WithExclude_NeverReturnsItWhenThereIsAnother(int[] weights)
    {
        var picker = new RoundRobinPicker(weights, new Random(42));
        for (int i = 0; i < 10_000; i++)
        {
            int exclude = i % weights.Length;
            int picked = picker.Pick(new PickContext(0, Attempt: 1, Exclude: exclude));
            if (weights.Length == 1) Assert.That(picked, Is.Zero);
            else Assert.That(picked, Is.Not.EqualTo(exclude).And.InRange(0, weights.Length - 1));
        }
    }

    [Test]
    public void Pick_WithExclude_SharesTheTrafficAmongTheOthers()
    {
        var picker = new RoundRobinPicker([1, 1, 2, 1], firstTurn: 0);
        int[] counts = new int[4];
        for (int i = 0; i < 40_000; i++) counts[picker.Pick(new PickContext(0, Exclude: 0))]++;
        Assert.That(counts[0], Is.Zero);
        Assert.That(counts[1], Is.EqualTo(10_000).Within(1000));
        Assert.That(counts[2], Is.EqualTo(20_000).Within(1000));
        Assert.That(counts[3], Is.EqualTo(10_000).Within(1000));
    }

    [Test]
    public void Outstanding_PickedAndCompleted_CountsTheDifference()
    {
        var picker = new RoundRobinPicker([1, 1], firstTurn: 0);
        int first = picker.Pick(Any), second = picker.Pick(Any), third = picker.Pick(Any);
        Assert.That((first, second, third), Is.EqualTo((0, 1, 0)));
        Assert.That((picker.Outstanding(0), picker.Outstanding(1)), Is.EqualTo((2, 1)));
        picker.Complete(0, Success);
        Assert.That((picker.Outstanding(0), picker.Outstanding(1)), Is.EqualTo((1, 1)));
    }

    [Test]
    public void Complete_OfALease_CountsOnce()
    {
        var picker = new RoundRobinPicker([1, 1], firstTurn: 0);
        var lease = new PickLease(picker, picker.Pick(Any), startTimestamp: 0);
        Assert.That(lease.IsActive);
        lease.Complete(Success);
        lease.Complete(new(PickOutcomeKind.Cancelled, -1, -1, 0));
        Assert.That(lease.IsActive, Is.False);
        Assert.That(picker.Outstanding(0), Is.Zero);
    }

    [Test]
    public void Complete_DefaultLease_DoesNothing() => Assert.DoesNotThrow(() => default(PickLease).Complete(Success));

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1_000_001)]
    public void Constructor_WeightOutOfRange_Throws(int weight) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = new RoundRobinPicker([1, weight], new Random(1)));

    [Test]
    public void PickAndComplete_ManyThreads_LeavesNothingOutstandingAndExactShares()
    {
        const int Threads = 8, Cycles = 20_000;
        int[] weights = [5, 1, 1, 1];
        var picker = new RoundRobinPicker(weights, new Random(7));
        long[] counts = new long[weights.Length];
        long negatives = 0;
        var start = new Barrier(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            start.SignalAndWait();
            long[] mine = new long[weights.Length];
            for (int i = 0; i < Cycles; i++)
            {
                var lease = new PickLease(picker, picker.Pick(new PickContext(i)), i);
                mine[lease.Destination]++;
                if (picker.Outstanding(lease.Destination) < 1) Interlocked.Increment(ref negatives); // ours is outstanding
                lease.Complete(Success);
            }
            for (int i = 0; i < mine.Length; i++) Interlocked.Add(ref counts[i], mine[i]);
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.That(negatives, Is.Zero);
        Assert.That(Enumerable.Range(0, weights.Length).Select(picker.Outstanding), Is.All.Zero);
        // 8 x 20 000 picks are 20 000 cycles of 8.
        Assert.That(counts, Is.EqualTo(weights.Select(weight => (long)weight * Threads * Cycles / 8)));
    }

    [TestCaseSource(nameof(WeightSets))]
    public void PickAndComplete_AnyWeights_AllocatesNothing(int[] weights)
    {
        var picker = new RoundRobinPicker(weights, new Random(1));
        for (int i = 0; i < 100; i++) picker.Complete(picker.Pick(Any), Success);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            int picked = picker.Pick(new PickContext(i, Exclude: 0));
            var lease = new PickLease(picker, picked, i);
            lease.Complete(Success);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static string Picks(RoundRobinPicker picker, int count) =>
        string.Concat(Enumerable.Range(0, count).Select(_ => (char)('a' + picker.Pick(Any))));
}
