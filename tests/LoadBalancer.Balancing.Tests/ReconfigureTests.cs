namespace LoadBalancer.Balancing.Tests;

/// <summary>Another policy, or other options, for the members that there are.</summary>
public class ReconfigureTests
{
    private static readonly EjectionOptions AtOnce = new() { ConsecutiveFailures = 1, EjectedShareMax = 1 };

    private static SchedulerOptions Options(EjectionOptions? ejection = null) => Make.Options() with { SlowStart = TimeSpan.Zero, PanicThreshold = 0, Ejection = ejection };

    private static void Fail(Scheduler scheduler, int destination) => scheduler.PickThis(scheduler.Destinations[destination], 0).Complete(new PickOutcome(PickOutcomeKind.ServerError, 0, 0, 0));

    [Test]
    public void Reconfigure_AnotherPolicy_PicksByItAndKeepsWhatIsUnderWay()
    {
        Scheduler scheduler = Make.Scheduler(BalancingPolicies.Create("first"), Make.Ones(2), Options());
        PickLease lease = scheduler.Pick(default);
        Assert.That(lease.Destination.Tag, Is.EqualTo(0));
        scheduler.Reconfigure(BalancingPolicies.Create("least-outstanding"), Options(), 0);
        Assert.That((scheduler.Destinations[0].Outstanding, scheduler.PickAndComplete()), Is.EqualTo((1, 1)), "the load of before counts");
        lease.Complete(Make.Success);
        Assert.That(scheduler.Destinations[0].Outstanding, Is.Zero);
    }

    [Test]
    public void Reconfigure_WithoutEjection_EndsThoseThatThereAre()
    {
        Scheduler scheduler = Make.Scheduler(BalancingPolicies.Create("round-robin"), Make.Ones(2), Options(AtOnce));
        Fail(scheduler, 0);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Ejected));
        scheduler.Reconfigure(BalancingPolicies.Create("round-robin"), Options(), 0);
        Assert.That(scheduler.Count(4), Is.EqualTo([2, 2]));
        Fail(scheduler, 0);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Eligible));
    }

    [Test]
    public void Reconfigure_OtherThanEjection_LeavesThemOut()
    {
        Scheduler scheduler = Make.Scheduler(BalancingPolicies.Create("round-robin"), Make.Ones(2), Options(AtOnce));
        Fail(scheduler, 0);
        scheduler.Reconfigure(BalancingPolicies.Create("first"), Options(AtOnce), 0);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Ejected));
        Assert.That(scheduler.Count(4), Is.EqualTo([0, 4]));
    }

    // A failure is counted by the ejector of before while another thread takes that away: nobody would ever end such an ejection.
    [Test]
    public void Reconfigure_WhileAFailureIsCounted_LeavesNobodyOutForEver()
    {
        const int Rounds = 20_000;
        Scheduler scheduler = Make.Scheduler(BalancingPolicies.Create("round-robin"), Make.Ones(2), Options(AtOnce));
        IBalancingPolicy policy = BalancingPolicies.Create("round-robin");
        using var both = new Barrier(2);
        int leftOut = 0;
        var failing = new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                both.SignalAndWait();
                Fail(scheduler, 0);
                both.SignalAndWait();
            }
        });
        failing.Start();
        for (int i = 0; i < Rounds; i++)
        {
            scheduler.Reconfigure(policy, Options(AtOnce), 0);
            both.SignalAndWait();
            scheduler.Reconfigure(policy, Options(), 0);
            both.SignalAndWait();
            if (scheduler.Destinations[0].Status != DestinationStatus.Eligible) leftOut++;
        }
        failing.Join();
        Assert.That(leftOut, Is.Zero);
    }
}
