namespace LoadBalancer.Balancing.Tests;

/// <summary>Destinations that ask to be left alone for a time, by every policy. Timestamps count microseconds.</summary>
[TestFixtureSource(typeof(BalancingPolicies), nameof(BalancingPolicies.BuiltIn))]
public class HoldTests(string policy)
{
    private static readonly long Start = Make.Second;

    private Scheduler Scheduler(int members) => Make.Scheduler(BalancingPolicies.Create(policy), Make.Ones(members));

    private static void Hold(Scheduler scheduler, int destination, long ticks) =>
        scheduler.PickThis(scheduler.Destinations[destination], Start).Complete(new PickOutcome(PickOutcomeKind.ServerError, 0, 0, 0, ticks));

    // Completed at once, so that only the hold tells them apart.
    private static int[] Picks(Scheduler scheduler, long now)
    {
        int[] counts = new int[scheduler.Destinations.Count];
        for (int i = 0; i < 400; i++) counts[scheduler.PickAndComplete(new PickContext(now + i, HashKey: HashKeys.Mix((ulong)i + 1)))]++;
        return counts;
    }

    [Test]
    public void Pick_OneHasAskedForATime_UsesTheOthersUntilItIsOver()
    {
        Scheduler scheduler = Scheduler(4);
        Hold(scheduler, 1, 40 * Make.Second);
        Assert.That(Picks(scheduler, Start)[1], Is.Zero);
        Assert.That(Picks(scheduler, Start + 39 * Make.Second)[1], Is.Zero);
        if (policy == "first") scheduler.Mark(scheduler.Destinations[0], DestinationStatus.Draining, true, Start);
        Assert.That(Picks(scheduler, Start + 41 * Make.Second)[1], Is.Positive);
    }

    [Test]
    public void Pick_MoreThanTheMostAskedFor_EndsAfterThat()
    {
        Scheduler scheduler = Scheduler(2);
        Hold(scheduler, 0, long.MaxValue / 2);
        Assert.That(Picks(scheduler, Start + 299 * Make.Second)[0], Is.Zero);
        Assert.That(Picks(scheduler, Start + 301 * Make.Second)[0], Is.Positive);
    }

    [Test]
    public void Pick_AllHaveAsked_HalfOfThemGoOn()
    {
        Scheduler scheduler = Scheduler(4);
        for (int i = 0; i < 4; i++) Hold(scheduler, i, 40 * Make.Second);
        int[] counts = Picks(scheduler, Start);
        Assert.That(counts.Take(2), Is.All.Zero);
        Assert.That(counts.Sum(), Is.EqualTo(400));
    }

    [Test]
    public void Pick_TheOnlyOneHasAsked_UsesIt()
    {
        Scheduler scheduler = Scheduler(1);
        Hold(scheduler, 0, 40 * Make.Second);
        Assert.That(Picks(scheduler, Start), Is.EqualTo([400]));
    }

    [Test]
    public void Pick_TheOthersLeftWhileOneIsHeld_UsesIt()
    {
        Scheduler scheduler = Scheduler(2);
        Hold(scheduler, 0, 40 * Make.Second);
        scheduler.Mark(scheduler.Destinations[1], DestinationStatus.Draining, true, Start);
        Assert.That(Picks(scheduler, Start), Is.EqualTo([400, 0]));
    }

    [Test]
    public void Pick_TheFirstTierIsHeld_UsesTheNext()
    {
        var scheduler = new Scheduler(BalancingPolicies.Create(policy), Make.Options());
        scheduler.Update([new("a") { Tag = 0 }, new("b") { Tag = 1, Priority = 1 }], 0);
        Hold(scheduler, 0, 40 * Make.Second);
        Assert.That(Picks(scheduler, Start), Is.EqualTo([0, 400]));
        Assert.That(scheduler.Destinations.Select(d => d.Outstanding), Is.All.Zero);
    }

    [Test]
    public void Complete_RoomAfterAHoldHasEnded_IsGrantedAgain()
    {
        Scheduler scheduler = Scheduler(2);
        Hold(scheduler, 0, 10 * Make.Second);
        Hold(scheduler, 1, 10 * Make.Second); // no room
        Assert.That(Picks(scheduler, Start)[0], Is.Zero);
        scheduler.PickThis(scheduler.Destinations[1], Start + 11 * Make.Second).Complete(new PickOutcome(PickOutcomeKind.ServerError, 0, 0, 0, 10 * Make.Second));
        Assert.That(Picks(scheduler, Start + 12 * Make.Second)[1], Is.Zero);
    }
}
