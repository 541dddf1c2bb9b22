namespace LoadBalancer.Balancing.Tests;

public class PrequalPolicyTests
{
    private const long Now = Make.Second;
    private static readonly PickContext At = new(Now);

    private static Scheduler Scheduler(int count, PrequalOptions? options = null) => Make.Scheduler(new PrequalPolicy(options), Make.Ones(count));

    private static void Report(Scheduler scheduler, int destination, int outstanding, long latency, long now = Now) =>
        scheduler.Probed(scheduler.Destinations[destination], new ProbeResult(outstanding, latency), now);

    [Test]
    public void TakeProbes_AfterPicks_GivesThreeForEach()
    {
        Scheduler scheduler = Scheduler(40);
        var targets = new Destination[50];
        Assert.That(scheduler.TakeProbes(targets), Is.Zero);
        for (int i = 0; i < 4; i++) scheduler.Pick(At);
        Assert.That(scheduler.TakeProbes(targets.AsSpan(0, 5)), Is.EqualTo(5), "no more than asked for");
        Assert.That(scheduler.TakeProbes(targets), Is.EqualTo(7));
        Assert.That(targets.Take(7), Is.All.Not.Null);
        for (int i = 0; i < 1000; i++) scheduler.Pick(At);
        Assert.That(scheduler.TakeProbes(new Destination[1000]), Is.InRange(60, 70), "what nobody takes does not add up for ever");
    }

    [Test]
    public void TakeProbes_FewDestinations_AsksNoneTwiceAtOnce()
    {
        Scheduler scheduler = Scheduler(4);
        var targets = new Destination[3];
        for (int i = 0; i < 100; i++)
        {
            scheduler.Pick(At);
            Assert.That(targets.Take(scheduler.TakeProbes(targets)), Is.Unique.And.Exactly(3).Items);
        }
    }

    [Test]
    public void Pick_AllCold_TakesTheFastest()
    {
        Scheduler scheduler = Scheduler(40, new() { RemovedPerPick = 0 });
        for (int i = 0; i < 16; i++) Report(scheduler, i, outstanding: 3, latency: 1000 - i);
        Assert.That(scheduler.PickAndComplete(At), Is.EqualTo(15));
    }

    [Test]
    public void Pick_TheFastestIsHot_TakesTheFastestOfTheCold()
    {
        Scheduler scheduler = Scheduler(40, new() { RemovedPerPick = 0 });
        for (int i = 0; i < 10; i++) Report(scheduler, i, outstanding: i, latency: 1000 - i); // 9 is above the quantile, the ninth of ten
        Assert.That(scheduler.PickAndComplete(At), Is.EqualTo(8));
    }

    [Test]
    public void Pick_AllHot_TakesTheLeastLoaded()
    {
        Scheduler scheduler = Scheduler(60, new() { RemovedPerPick = 0, HotQuantile = 0.1 });
        for (int i = 0; i < 16; i++) Report(scheduler, i, outstanding: 0, latency: 10, Now - 1000 + i);
        for (int i = 20; i < 36; i++) Report(scheduler, i, outstanding: i, latency: 10_000 - i, Now - 100 + i);
        Assert.That(scheduler.PickAndComplete(At), Is.EqualTo(20));
    }

    [Test]
    public void Pick_UsedResult_CountsOneMore()
    {
        // Two equally fast and empty: the quantile is 0, so the one just picked is hot and the other follows.
        Scheduler scheduler = Scheduler(4, new() { RemovedPerPick = 0 });
        Report(scheduler, 0, 0, 10);
        Report(scheduler, 1, 0, 20);
        Assert.That((scheduler.PickAndComplete(At), scheduler.PickAndComplete(At)), Is.EqualTo((0, 1)));
    }

    [Test]
    public void Pick_ResultsTooOld_AreNotUsed()
    {
        Scheduler scheduler = Scheduler(40);
        int[] picks = new int[40];
        for (int round = 0; round < 200; round++)
        {
            for (int i = 0; i < 16; i++) Report(scheduler, i, 0, 10, now: Now + round);
            picks[scheduler.PickAndComplete(new PickContext(Now + round + Make.Second + 1))]++;
        }
        Assert.That(picks.Skip(16).Sum(), Is.EqualTo(120).Within(25), "drawn from all");
    }

    [Test]
    public void Pick_ManyRoundsWithProbes_AvoidsTheLoaded()
    {
        Scheduler scheduler = Scheduler(100);
        var targets = new Destination[8];
        int[] picks = new int[100];
        for (int i = 0; i < 5000; i++)
        {
            long now = Now + i * Make.Millisecond;
            picks[scheduler.PickAndComplete(new PickContext(now))]++;
            int probes = scheduler.TakeProbes(targets);
            for (int p = 0; p < probes; p++)
            {
                int destination = (int)targets[p].Tag!;
                scheduler.Probed(targets[p], destination < 20 ? new(50, 90_000) : new(2, 10_000), now);
            }
        }
        Assert.That(picks.Take(20).Sum() / 5000.0, Is.LessThan(0.02));
    }

    [Test]
    public void Probed_DestinationThatLeft_IsIgnored()
    {
        Scheduler scheduler = Scheduler(10);
        Destination gone = scheduler.Destinations[9];
        scheduler.Update(Make.Specs(Make.Ones(9)), Now);
        for (int i = 0; i < 3; i++) scheduler.Probed(gone, new(0, 1), Now);
        for (int i = 0; i < 50; i++) Assert.That(scheduler.PickAndComplete(At), Is.InRange(0, 8));
    }
}
