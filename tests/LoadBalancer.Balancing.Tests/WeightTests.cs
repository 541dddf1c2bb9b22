namespace LoadBalancer.Balancing.Tests;

/// <summary>Shares by weight where chance decides: chi-square with a fixed seed, p above 1e-6.</summary>
public class WeightTests
{
    private static readonly int[] Weights = [1, 2, 3, 4, 10, 1, 7];

    // Upper 1e-6 points of chi-square by degrees of freedom.
    private static double Bound(int freedom) => freedom switch { 6 => 38.3, 15 => 56.5, 63 => 132.7, _ => throw new ArgumentOutOfRangeException(nameof(freedom)) };

    private static double ChiSquare(int[] counts, int[] weights)
    {
        double sum = weights.Sum(), picks = counts.Sum();
        return counts.Zip(weights, (count, weight) => (count - picks * weight / sum) * (count - picks * weight / sum) / (picks * weight / sum)).Sum();
    }

    [Test]
    public void Random_ManyPicks_FollowsTheWeights() =>
        Assert.That(ChiSquare(Make.Scheduler(new RandomPolicy(), Weights).Count(200_000), Weights), Is.LessThan(Bound(6)));

    [TestCase("random")]
    [TestCase("power-of-two")]
    [TestCase("least-outstanding")]
    [TestCase("latency-weighted")]
    public void EqualWeights_NothingUnderWay_EachIsAsLikely(string name) =>
        Assert.That(ChiSquare(Make.Scheduler(BalancingPolicies.Create(name), Make.Ones(64)).Count(100_000), Make.Ones(64)), Is.LessThan(Bound(63)));

    [Test]
    public void LeastOutstanding_NothingUnderWay_FollowsTheWeights() =>
        Assert.That(ChiSquare(Make.Scheduler(new LeastOutstandingPolicy(), Weights).Count(200_000), Weights), Is.LessThan(Bound(6)));

    [Test]
    public void LeastOutstanding_ManyUnderWay_SharesThemByWeight()
    {
        Scheduler scheduler = Make.Scheduler(new LeastOutstandingPolicy(), Weights);
        for (int i = 0; i < 2800; i++) scheduler.Pick(default);
        int[] outstanding = [.. scheduler.Destinations.Select(d => d.Outstanding)];
        for (int i = 0; i < Weights.Length; i++) Assert.That(outstanding[i], Is.EqualTo(Weights[i] * 100).Within(Weights[i]));
    }

    [Test]
    public void LeastOutstanding_EqualWeights_IsNeverMoreThanOneApart()
    {
        Scheduler scheduler = Make.Scheduler(new LeastOutstandingPolicy(), Make.Ones(100));
        for (int i = 0; i < 1050; i++) scheduler.Pick(default);
        Assert.That(scheduler.Destinations.Select(d => d.Outstanding), Is.All.InRange(10, 11));
    }

    [Test]
    public void LatencyWeighted_NothingKnownAndManyUnderWay_SharesThemByWeight()
    {
        Scheduler scheduler = Make.Scheduler(new LatencyWeightedPolicy(), Weights);
        for (int i = 0; i < 2800; i++) scheduler.Pick(new PickContext(1));
        int[] outstanding = [.. scheduler.Destinations.Select(d => d.Outstanding)];
        for (int i = 0; i < Weights.Length; i++) Assert.That(outstanding[i], Is.EqualTo(Weights[i] * 100).Within(2 + Weights[i]));
    }

    // Balls in bins: with two choices the fullest of n bins has ln ln n / ln 2 + O(1) balls instead of ln n / ln ln n.
    [Test]
    public void PowerOfTwo_OnePickForEachDestination_HasAMaximumOfThreeOrFour()
    {
        const int Count = 100_000;
        Scheduler two = Make.Scheduler(new PowerOfTwoPolicy(), Make.Ones(Count)), one = Make.Scheduler(new RandomPolicy(), Make.Ones(Count));
        for (int i = 0; i < Count; i++)
        {
            two.Pick(default);
            one.Pick(default);
        }
        Assert.That(two.Destinations.Max(d => d.Outstanding), Is.InRange(3, 4));
        Assert.That(one.Destinations.Max(d => d.Outstanding), Is.InRange(6, 10));
    }

    [Test]
    public void PowerOfTwo_ManyUnderWay_SharesThemByWeight()
    {
        Scheduler scheduler = Make.Scheduler(new PowerOfTwoPolicy(), Weights);
        for (int i = 0; i < 2800; i++) scheduler.Pick(default);
        int[] outstanding = [.. scheduler.Destinations.Select(d => d.Outstanding)];
        for (int i = 0; i < Weights.Length; i++) Assert.That(outstanding[i], Is.EqualTo(Weights[i] * 100).Within(5 + 5 * Weights[i]));
    }

    [Test]
    public void First_NoLimits_TakesTheFirst() => Assert.That(Make.Scheduler(new FirstPolicy(), Make.Ones(5)).Count(10), Is.EqualTo(new[] { 10, 0, 0, 0, 0 }));

    [Test]
    public void First_Limits_FillsInOrder()
    {
        var scheduler = new Scheduler(new FirstPolicy());
        scheduler.Update([.. Make.Specs(Make.Ones(3)).Select(spec => spec with { OutstandingMax = 2 })], 0);
        Assert.That(string.Concat(Enumerable.Range(0, 6).Select(_ => scheduler.Pick(default).Destination.Identity)), Is.EqualTo("aabbcc"));
    }
}
