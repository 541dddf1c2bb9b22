namespace LoadBalancer.Balancing.Tests;

public class SchedulerTests
{
    private static Scheduler Two(int limit = 0)
    {
        var scheduler = new Scheduler(new RoundRobinPolicy(firstTurn: 0), Make.Options() with { PanicThreshold = 0, SlowStart = TimeSpan.Zero });
        scheduler.Update([new("a") { OutstandingMax = limit }, new("b") { OutstandingMax = limit }], 0);
        return scheduler;
    }

    [Test]
    public void Complete_OfALease_CountsOnce()
    {
        Scheduler scheduler = Two();
        PickLease lease = scheduler.Pick(default), other = scheduler.Pick(default), again = scheduler.Pick(default);
        Assert.That(scheduler.Destinations.Select(d => d.Outstanding), Is.EqualTo([2, 1]));
        lease.Complete(Make.Success);
        lease.Complete(new(PickOutcomeKind.Cancelled, -1, -1, 0));
        Assert.That(lease.IsActive, Is.False);
        Assert.That(scheduler.Destinations.Select(d => d.Outstanding), Is.EqualTo([1, 1]));
        other.Complete(Make.Success);
        again.Complete(Make.Success);
        Assert.That(scheduler.Destinations.Select(d => d.Outstanding), Is.All.Zero);
    }

    [Test]
    public void Complete_DefaultLease_DoesNothing() => Assert.DoesNotThrow(() => default(PickLease).Complete(Make.Success));

    [Test]
    public void Update_SameIdentity_KeepsTheLiveState()
    {
        Scheduler scheduler = Two();
        PickLease a = scheduler.Pick(default), b = scheduler.Pick(default);
        Destination kept = scheduler.Destinations[1], gone = scheduler.Destinations[0];
        scheduler.Update([new("c"), new("b") { Weight = 5 }], 0);
        Assert.That(scheduler.Find("b"), Is.SameAs(kept));
        Assert.That(kept.Outstanding, Is.EqualTo(1));
        Assert.That(scheduler.Find("a"), Is.Null);
        a.Complete(Make.Success);
        b.Complete(Make.Success);
        Assert.That((gone.Outstanding, kept.Outstanding, scheduler.Find("c")!.Outstanding), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void Update_TwoOfOneIdentity_ThrowsAndChangesNothing()
    {
        Scheduler scheduler = Two();
        Assert.Throws<ArgumentException>(() => scheduler.Update([new("c"), new("c")], 0));
        Assert.That(scheduler.Destinations.Select(d => d.Identity), Is.EqualTo(["a", "b"]));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1_000_001)]
    public void Update_WeightOutOfRange_Throws(int weight) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Two().Update([new("c") { Weight = weight }], 0));

    [TestCase(DestinationStatus.Unhealthy)]
    [TestCase(DestinationStatus.Ejected)]
    [TestCase(DestinationStatus.Draining)]
    public void Pick_MarkedDestination_IsSkippedUntilTheReasonIsGone(DestinationStatus reason)
    {
        Scheduler scheduler = Two();
        Destination a = scheduler.Destinations[0];
        scheduler.Mark(a, reason, true, 0);
        Assert.That(scheduler.IsEligible(a), Is.False);
        for (int i = 0; i < 4; i++) Assert.That(scheduler.Pick(default).Destination.Identity, Is.EqualTo("b"));
        scheduler.Mark(a, reason, false, 0);
        Assert.That(scheduler.IsEligible(a));
        Assert.That(new[] { scheduler.Pick(default).Destination, scheduler.Pick(default).Destination }, Does.Contain(a));
    }

    [Test]
    public void Pick_TwoReasonsOneCleared_IsStillSkipped()
    {
        Scheduler scheduler = Two();
        Destination a = scheduler.Destinations[0];
        scheduler.Mark(a, DestinationStatus.Unhealthy, true, 0);
        scheduler.Mark(a, DestinationStatus.Ejected, true, 0);
        scheduler.Mark(a, DestinationStatus.Unhealthy, false, 0);
        for (int i = 0; i < 4; i++) Assert.That(scheduler.Pick(default).Destination.Identity, Is.EqualTo("b"));
    }

    [Test]
    public void Pick_AllUnhealthy_UsesThemAllTheSame()
    {
        Scheduler scheduler = Two();
        foreach (Destination destination in scheduler.Destinations) scheduler.Mark(destination, DestinationStatus.Unhealthy, true, 0);
        Assert.That(new[] { scheduler.Pick(default).Destination.Identity, scheduler.Pick(default).Destination.Identity }, Is.EquivalentTo(["a", "b"]));
    }

    [Test]
    public void Pick_AllDraining_ReturnsNone()
    {
        Scheduler scheduler = Two();
        foreach (Destination destination in scheduler.Destinations) scheduler.Mark(destination, DestinationStatus.Draining, true, 0);
        Assert.That(scheduler.Pick(default).IsActive, Is.False);
    }

    [Test]
    public void Pick_FewerEligibleThanThePanicThreshold_UsesAll()
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(), Make.Ones(10), Make.Options() with { SlowStart = TimeSpan.Zero });
        for (int i = 0; i < 5; i++) scheduler.Mark(scheduler.Destinations[i], DestinationStatus.Unhealthy, true, 0);
        Assert.That(scheduler.Count(100).Count(c => c > 0), Is.EqualTo(5), "half are left: no panic");
        scheduler.Mark(scheduler.Destinations[5], DestinationStatus.Unhealthy, true, 0);
        Assert.That(scheduler.Count(100).Count(c => c > 0), Is.EqualTo(10), "panic");
    }

    [Test]
    public void Pick_AtTheLimit_SkipsAndThenReturnsNone()
    {
        Scheduler scheduler = Two(limit: 1);
        PickLease first = scheduler.Pick(default), second = scheduler.Pick(default);
        Assert.That(first.Destination, Is.Not.SameAs(second.Destination));
        Assert.That(scheduler.Pick(default).IsActive, Is.False);
        second.Complete(Make.Success);
        Assert.That(scheduler.Pick(default).Destination, Is.SameAs(second.Destination));
    }

    [Test]
    public void PickThis_EligibleMember_CountsTheReservation()
    {
        Scheduler scheduler = Two(limit: 1);
        Destination b = scheduler.Find("b")!;
        PickLease lease = scheduler.PickThis(b, now: 0);
        Assert.That(lease.Destination, Is.SameAs(b));
        Assert.That(scheduler.PickThis(b, now: 0).IsActive, Is.False, "at its limit");
        lease.Complete(Make.Success);
        scheduler.Mark(b, DestinationStatus.Draining, true, 0);
        Assert.That(scheduler.PickThis(b, now: 0).IsActive, Is.False, "draining");
    }

    [Test]
    public void PickThis_WhileDraining_TakesItUntilItLeaves()
    {
        Scheduler scheduler = Two();
        Destination b = scheduler.Find("b")!;
        scheduler.Mark(b, DestinationStatus.Draining, true, 0);
        Assert.That(scheduler.PickThis(b, now: 0, whileDraining: true).Destination, Is.SameAs(b));
        scheduler.Mark(b, DestinationStatus.Unhealthy, true, 0);
        Assert.That(scheduler.PickThis(b, now: 0, whileDraining: true).IsActive, Is.False, "unhealthy too");
        scheduler.Mark(b, DestinationStatus.Unhealthy, false, 0);
        scheduler.Update([new("a")], 0);
        Assert.That(scheduler.PickThis(b, now: 0, whileDraining: true).IsActive, Is.False, "no member");
    }

    // Or sessions would be torn to and fro among destinations that are all used.
    [Test]
    public void PickThis_UnhealthyInPanic_TakesIt()
    {
        Scheduler scheduler = Two();
        Destination a = scheduler.Find("a")!, b = scheduler.Find("b")!;
        scheduler.Mark(a, DestinationStatus.Unhealthy, true, 0);
        Assert.That(scheduler.PickThis(a, now: 0).IsActive, Is.False);
        scheduler.Mark(b, DestinationStatus.Unhealthy, true, 0);
        Assert.That(scheduler.PickThis(a, now: 0).Destination, Is.SameAs(a));
        scheduler.Update([new("b")], 0);
        Assert.That(scheduler.PickThis(a, now: 0).IsActive, Is.False, "no member");
    }

    [Test]
    public void Pick_NewcomerAfterTheFirstUpdate_StartsSlowly()
    {
        var scheduler = new Scheduler(new RoundRobinPolicy(), Make.Options());
        scheduler.Update([new("a"), new("b")], 0);
        scheduler.Update([new("a"), new("b"), new("c")], 0);
        int Share(long now) => Enumerable.Range(0, 10_000).Count(_ => scheduler.Pick(new PickContext(now)).Destination.Identity == "c");
        Assert.That(Share(0), Is.EqualTo(476).Within(100), "weight 0.1 beside 2");
        Assert.That(Share(5 * Make.Second), Is.EqualTo(2000).Within(200), "weight 0.5 beside 2");
        Assert.That(Share(10 * Make.Second), Is.EqualTo(3333).Within(1));
    }

    [Test]
    public void Pick_NewcomerBesideOneOnly_HasItsShareAtOnce()
    {
        var scheduler = new Scheduler(new RoundRobinPolicy(), Make.Options());
        scheduler.Update(Make.Specs(Make.Ones(1)), 0);
        scheduler.Update(Make.Specs(Make.Ones(2)), 0);
        Assert.That(scheduler.Count(100), Is.EqualTo([50, 50]));
    }
}
