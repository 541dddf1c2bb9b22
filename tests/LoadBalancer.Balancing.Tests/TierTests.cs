namespace LoadBalancer.Balancing.Tests;

public class TierTests
{
    // The tables of Envoy's documentation of priority levels, in parts of a hundred destinations.
    [TestCase(new[] { 100, 100 }, new[] { 1.0, 0 })]
    [TestCase(new[] { 72, 100 }, new[] { 1.0, 0 })]
    [TestCase(new[] { 71, 100 }, new[] { 0.994, 0.006 })]
    [TestCase(new[] { 50, 100 }, new[] { 0.7, 0.3 })]
    [TestCase(new[] { 25, 100 }, new[] { 0.35, 0.65 })]
    [TestCase(new[] { 0, 100 }, new[] { 0, 1.0 })]
    [TestCase(new[] { 25, 72 }, new[] { 0.35, 0.65 })]
    [TestCase(new[] { 25, 25 }, new[] { 0.5, 0.5 })]
    [TestCase(new[] { 20, 20, 10 }, new[] { 0.4, 0.4, 0.2 })]
    public void Compute_EligibleOfAHundred_GivesEnvoysLoads(int[] eligible, double[] expected)
    {
        (double[] loads, _) = TierLoads.Compute(eligible, [.. eligible.Select(_ => 100)], 1.4, panicThreshold: 0);
        Assert.That(loads, Is.EqualTo(expected).Within(1e-9));
    }

    [TestCase(new[] { 60, 100 }, new[] { false, false })]
    [TestCase(new[] { 10, 100 }, new[] { false, false }, Description = "the next tier carries it: no panic")]
    [TestCase(new[] { 25, 25 }, new[] { true, true })]
    [TestCase(new[] { 5, 55 }, new[] { true, false })]
    public void Compute_TiersTogetherTooWeak_PanicsBelowTheThreshold(int[] eligible, bool[] expected)
    {
        (_, bool[] panics) = TierLoads.Compute(eligible, [.. eligible.Select(_ => 100)], 1.4, panicThreshold: 0.5);
        Assert.That(panics, Is.EqualTo(expected));
    }

    private static Scheduler TwoTiers(int limit = 0)
    {
        var scheduler = new Scheduler(new RoundRobinPolicy(), Make.Options());
        scheduler.Update([.. Enumerable.Range(0, 20).Select(i => new DestinationSpec($"{i}") { Priority = i / 10, Tag = i, OutstandingMax = limit })], 0);
        return scheduler;
    }

    [Test]
    public void Pick_FirstTierWhole_UsesNothingElse() => Assert.That(TwoTiers().Count(1000).Skip(10), Is.All.Zero);

    [Test]
    public void Pick_HalfOfTheFirstTierLeft_OverflowsThirtyPercent()
    {
        Scheduler scheduler = TwoTiers();
        for (int i = 0; i < 5; i++) scheduler.Mark(scheduler.Destinations[i], DestinationStatus.Unhealthy, true, 0);
        int[] counts = scheduler.Count(20_000);
        Assert.That(counts.Take(5), Is.All.Zero);
        Assert.That(counts.Skip(10).Sum(), Is.EqualTo(6000).Within(300));
    }

    [Test]
    public void Pick_FirstTierDrains_CountsAsGone()
    {
        Scheduler scheduler = TwoTiers();
        for (int i = 0; i < 9; i++) scheduler.Mark(scheduler.Destinations[i], DestinationStatus.Draining, true, 0);
        Assert.That(scheduler.Count(100)[9], Is.EqualTo(100));
        scheduler.Mark(scheduler.Destinations[9], DestinationStatus.Draining, true, 0);
        Assert.That(scheduler.Count(100).Skip(10), Is.All.EqualTo(10));
    }

    [Test]
    public void Pick_FirstTierAtItsLimits_OverflowsToTheNext()
    {
        Scheduler scheduler = TwoTiers(limit: 2);
        var picked = Enumerable.Range(0, 40).Select(_ => (int)scheduler.Pick(default).Destination.Tag! / 10).ToList();
        Assert.That(picked, Is.EqualTo(Enumerable.Repeat(0, 20).Concat(Enumerable.Repeat(1, 20))));
        Assert.That(scheduler.Pick(default).IsActive, Is.False);
    }

    [Test]
    public void Pick_OnlyOneOfTheFirstTierAndItIsExcluded_OverflowsToTheNext([ValueSource(typeof(BalancingPolicies), nameof(BalancingPolicies.BuiltIn))] string policy)
    {
        var scheduler = new Scheduler(BalancingPolicies.Create(policy), Make.Options());
        scheduler.Update([new("first"), new("second") { Priority = 1 }], 0);
        Destination first = scheduler.Find("first")!;
        Assert.That(scheduler.Pick(new PickContext(0, 1, 3, first)).Destination.Identity, Is.EqualTo("second"));
        Assert.That(first.Outstanding, Is.Zero, "the excluded one was given back");
    }
}
