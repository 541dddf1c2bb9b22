namespace LoadBalancer.Balancing.Tests;

public class RoundRobinPolicyTests
{
    private static readonly int[][] WeightSets =
    [
        [1], [1, 1], [1, 1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [10, 20, 30], [1000, 1], [7, 11, 13, 17],
        [4095, 1], [4096, 1], [1000, 999, 998, 997, 996], [1, 100_000], [2048, 1024, 4096, 8191],
    ];

    [Test]
    public void Pick_NoDestinations_ReturnsNone() =>
        Assert.That(Make.Scheduler(new RoundRobinPolicy(), []).Pick(default).IsActive, Is.False);

    // nginx's commit message of smooth weighted round robin, 52327e0627f4.
    [TestCase(new[] { 5, 1, 1 }, "aabacaaaabacaa")]
    [TestCase(new[] { 7, 7, 7 }, "abcabca")]
    [TestCase(new[] { 50, 10, 10 }, "aabacaa")]
    public void Pick_Weights_FollowsThePublishedSmoothOrder(int[] weights, string expected)
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(firstTurn: 0), weights);
        Assert.That(string.Concat(Enumerable.Range(0, expected.Length).Select(_ => scheduler.Pick(default).Destination.Identity)), Is.EqualTo(expected));
    }

    [TestCaseSource(nameof(WeightSets))]
    public void Pick_WholeCycles_GivesEachExactlyItsShare(int[] weights)
    {
        const int Cycles = 3;
        int divisor = weights.Aggregate((a, b) => { while (b != 0) (a, b) = (b, a % b); return a; });
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(), weights);
        Assert.That(scheduler.Count(weights.Sum() / divisor * Cycles), Is.EqualTo(weights.Select(weight => weight / divisor * Cycles)));
    }

    // In every prefix of a run each destination is near its share. Of short cycles the order is nginx's, whose error stays near 1;
    // consecutive turns of a long cycle follow a golden-section sequence, whose discrepancy grows with the logarithm of the window.
    [TestCase(new[] { 9, 5, 3, 1 }, 1.5)]
    [TestCase(new[] { 10, 3, 7, 1, 1, 4, 9, 2, 2, 10, 6 }, 1.5)]
    [TestCase(new[] { 1000, 999, 998, 997, 996 }, 3)]
    [TestCase(new[] { 1, 100_000, 50_000 }, 3)]
    public void Pick_AnyPrefix_StaysNearTheShares(int[] weights, double errorMax)
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(firstTurn: 0), weights);
        double sum = weights.Sum();
        int[] counts = new int[weights.Length];
        for (int n = 1; n <= 20_000; n++)
        {
            counts[scheduler.PickAndComplete()]++;
            for (int i = 0; i < weights.Length; i++)
            {
                if (Math.Abs(counts[i] - n * weights[i] / sum) > errorMax) Assert.Fail($"after {n} picks destination {i} has {counts[i]}, not about {n * weights[i] / sum}");
            }
        }
    }

    [Test]
    public void Pick_EqualWeights_NeverIsMoreThanOneApart()
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(), Make.Ones(7));
        for (int n = 1; n < 50; n++)
        {
            int[] counts = scheduler.Count(n);
            Assert.That(counts.Max() - counts.Min(), Is.LessThanOrEqualTo(1));
        }
    }

    [Test]
    public void Pick_TenThousandOfLargestWeights_CoversAll()
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(), [.. Enumerable.Range(0, 10_000).Select(i => DestinationSpec.WeightMax - i)]);
        int[] counts = scheduler.Count(100_000);
        Assert.That(counts.Min(), Is.GreaterThanOrEqualTo(2));
        Assert.That(counts.Max(), Is.LessThanOrEqualTo(20));
    }

    [Test]
    public void Pick_DifferentSeeds_BeginsAtDifferentDestinations()
    {
        var first = Enumerable.Range(0, 100).Select(seed => Make.Scheduler(new RoundRobinPolicy(), Make.Ones(10), Make.Options((ulong)seed)).PickAndComplete()).ToHashSet();
        Assert.That(first, Has.Count.GreaterThan(5));
    }

    [Test]
    public void Pick_WithExclude_SharesTheTrafficAmongTheOthers()
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(firstTurn: 0), [1, 1, 2, 1]);
        int[] counts = scheduler.Count(40_000, new PickContext(0, Exclude: scheduler.Destinations[0]));
        Assert.That(counts[0], Is.Zero);
        Assert.That(counts[1], Is.EqualTo(10_000).Within(1000));
        Assert.That(counts[2], Is.EqualTo(20_000).Within(1000));
        Assert.That(counts[3], Is.EqualTo(10_000).Within(1000));
    }

    [Test]
    public void Pick_AfterAnUpdate_GoesOnWithTheNextTurn()
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(firstTurn: 0), [1, 1, 1]);
        scheduler.Count(2);
        scheduler.Update(Make.Specs([1, 1, 1, 1]), now: 0);
        Assert.That(scheduler.PickAndComplete(), Is.EqualTo(2));
    }
}
