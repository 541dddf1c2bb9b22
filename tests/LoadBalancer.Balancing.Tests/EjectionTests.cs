namespace LoadBalancer.Balancing.Tests;

/// <summary>Outlier ejection in virtual time: timestamps count microseconds.</summary>
public class EjectionTests
{
    private static readonly EjectionOptions Defaults = new();

    private static Scheduler Start(int members, EjectionOptions? ejection = null, IStatusObserver? observer = null)
    {
        var scheduler = new Scheduler(new RoundRobinPolicy(firstTurn: 0),
            Make.Options() with { Ejection = ejection ?? Defaults, SlowStart = TimeSpan.Zero, PanicThreshold = 0, Observer = observer });
        scheduler.Update(Make.Specs(Make.Ones(members)), 0);
        return scheduler;
    }

    // Completes that many picks of one destination.
    private static void Complete(Scheduler scheduler, int destination, PickOutcomeKind kind, int times, long now = 0)
    {
        for (int i = 0; i < times; i++) scheduler.PickThis(scheduler.Destinations[destination], now).Complete(new PickOutcome(kind, 0, 0, 0));
    }

    private static DestinationStatus[] Statuses(Scheduler scheduler) => [.. scheduler.Destinations.Select(d => d.Status)];

    [TestCase(PickOutcomeKind.ServerError)]
    [TestCase(PickOutcomeKind.ConnectFailure)]
    [TestCase(PickOutcomeKind.ProtocolFailure)]
    [TestCase(PickOutcomeKind.Timeout)]
    public void Complete_FiveFailuresInARow_Ejects(PickOutcomeKind kind)
    {
        Scheduler scheduler = Start(2);
        Complete(scheduler, 0, kind, 4);
        Assert.That(Statuses(scheduler), Is.All.EqualTo(DestinationStatus.Eligible));
        Complete(scheduler, 0, kind, 1);
        Assert.That(Statuses(scheduler), Is.EqualTo([DestinationStatus.Ejected, DestinationStatus.Eligible]));
        Assert.That(scheduler.Count(10), Is.EqualTo([0, 10]));
    }

    [Test]
    public void Complete_ASuccessBetweenFailures_BeginsTheRowAnew()
    {
        Scheduler scheduler = Start(2);
        for (int i = 0; i < 3; i++) // too few requests for the share of failures to count
        {
            Complete(scheduler, 0, PickOutcomeKind.ServerError, 4);
            Complete(scheduler, 0, PickOutcomeKind.Success, 1);
        }
        Assert.That(Statuses(scheduler), Is.All.EqualTo(DestinationStatus.Eligible));
    }

    [TestCase(PickOutcomeKind.Cancelled)]
    [TestCase(PickOutcomeKind.Refused)]
    public void Complete_WhatSaysNothingOfTheDestination_CountsForNothing(PickOutcomeKind kind)
    {
        Scheduler scheduler = Start(2);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Eligible));
            Complete(scheduler, 0, PickOutcomeKind.ServerError, 1);
            Complete(scheduler, 0, kind, 10);
        }
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Ejected));
    }

    // Never more than three failures in a row: only their share can eject.
    [TestCase(9, 11, DestinationStatus.Ejected)]
    [TestCase(10, 10, DestinationStatus.Eligible, Description = "half is not more than half")]
    [TestCase(9, 10, DestinationStatus.Eligible, Description = "19 requests are too few")]
    public void Complete_FailuresSpreadOverAWindow_EjectAboveHalfOfTwenty(int successes, int failures, DestinationStatus expected)
    {
        Scheduler scheduler = Start(2);
        for (int i = 0; i < Math.Max(successes, failures); i++)
        {
            if (i < successes) Complete(scheduler, 0, PickOutcomeKind.Success, 1, i * Make.Millisecond);
            if (i < failures) Complete(scheduler, 0, PickOutcomeKind.ServerError, 1, i * Make.Millisecond);
        }
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(expected));
    }

    [Test]
    public void Complete_AWindowHasEnded_CountsAnew()
    {
        Scheduler scheduler = Start(2);
        for (int i = 0; i < 60; i++) Complete(scheduler, 0, i % 3 == 0 ? PickOutcomeKind.Success : PickOutcomeKind.ServerError, 1, i * Make.Second);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Eligible), "two thirds fail, but never twenty requests in ten seconds");
    }

    [Test]
    public void Pick_TheEjectionHasEnded_UsesTheDestinationAgain()
    {
        Scheduler scheduler = Start(2);
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 5);
        long end = 30 * Make.Second;
        Assert.That(scheduler.Count(10, new PickContext(end - 1)), Is.EqualTo([0, 10]));
        Assert.That(scheduler.Count(10, new PickContext(end)), Is.EqualTo([5, 5]));
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 4, end);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Eligible), "what failed before is forgotten");
    }

    [TestCase(1, 0)]
    [TestCase(2, 1)]
    [TestCase(3, 1)]
    [TestCase(4, 2)]
    [TestCase(7, 3)]
    public void Complete_AllFail_EjectsHalfOfTheMembersAtMost(int members, int ejected)
    {
        Scheduler scheduler = Start(members);
        for (int i = 0; i < members; i++) Complete(scheduler, i, PickOutcomeKind.ServerError, 50);
        Assert.That(Statuses(scheduler).Count(s => s == DestinationStatus.Ejected), Is.EqualTo(ejected));
    }

    [Test]
    public void Complete_TheOthersAreUnhealthy_LeavesTheLast()
    {
        Scheduler scheduler = Start(4);
        for (int i = 1; i < 4; i++) scheduler.Mark(scheduler.Destinations[i], DestinationStatus.Unhealthy, true, 0);
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 50);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Eligible));
    }

    [Test]
    public void Complete_RoomAfterARefusal_EjectsThen()
    {
        Scheduler scheduler = Start(2);
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 5);
        Complete(scheduler, 1, PickOutcomeKind.ServerError, 50);
        Assert.That(scheduler.Destinations[1].Status, Is.EqualTo(DestinationStatus.Eligible));
        scheduler.PickAndComplete(new PickContext(30 * Make.Second)); // the first returns
        Complete(scheduler, 1, PickOutcomeKind.ServerError, 5, 30 * Make.Second);
        Assert.That(Statuses(scheduler), Is.EqualTo([DestinationStatus.Eligible, DestinationStatus.Ejected]));
    }

    [Test]
    public void Pick_EjectedAndUnhealthy_ReturnsWhenBothHaveEnded()
    {
        Scheduler scheduler = Start(2);
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 5);
        scheduler.Mark(scheduler.Destinations[0], DestinationStatus.Unhealthy, true, 0);
        Assert.That(scheduler.Count(10, new PickContext(31 * Make.Second)), Is.EqualTo([0, 10]));
        scheduler.Mark(scheduler.Destinations[0], DestinationStatus.Unhealthy, false, 0);
        Assert.That(scheduler.Count(10, new PickContext(32 * Make.Second)), Is.EqualTo([5, 5]));
    }

    [Test]
    public void Complete_BothCriteriaOff_NeverEjects()
    {
        Scheduler scheduler = Start(2, Defaults with { ConsecutiveFailures = 0, FailureShareMax = 1 });
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 1000);
        Assert.That(scheduler.Destinations[0].Status, Is.EqualTo(DestinationStatus.Eligible));
    }

    [Test]
    public void PickAndComplete_MixedOutcomes_AllocatesNothing()
    {
        Scheduler scheduler = Start(2);
        void Run(int from, int to)
        {
            for (int i = from; i < to; i++) scheduler.Pick(new PickContext(i * Make.Millisecond)).Complete(new((i / 2) % 3 == 0 ? PickOutcomeKind.ServerError : PickOutcomeKind.Success, 0, 0, 0));
        }
        Run(0, 500);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(500, 20_000); // over two windows
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(Statuses(scheduler), Is.All.EqualTo(DestinationStatus.Eligible));
    }

    [Test]
    public void Observer_EjectionAndReturn_IsToldOfBoth()
    {
        var observer = new Notes();
        Scheduler scheduler = Start(2, observer: observer);
        Complete(scheduler, 0, PickOutcomeKind.ServerError, 5);
        scheduler.PickAndComplete(new PickContext(30 * Make.Second));
        Assert.That(observer.Lines, Is.EqualTo(["a: Eligible -> Ejected", "a: Ejected -> Eligible"]));
    }

    [Test]
    public void Complete_FailuresFromManyThreads_KeepTheFloor()
    {
        var observer = new Notes();
        Scheduler scheduler = Start(8, observer: observer);
        Parallel.For(0, 8, thread =>
        {
            for (int i = 0; i < 2000; i++)
            {
                PickLease lease = scheduler.Pick(new PickContext(i));
                lease.Complete(new PickOutcome(PickOutcomeKind.ServerError, 0, 0, 0));
            }
        });
        Assert.That(Statuses(scheduler).Count(s => s == DestinationStatus.Ejected), Is.EqualTo(4));
        Assert.That(observer.Lines, Has.Count.EqualTo(4), "each was ejected once");
    }

    [Test]
    public void Begin_AgainAndAgain_LastsLongerUpToTheBound()
    {
        var term = new EjectionTerm();
        long now = 0;
        var lengths = new List<long>();
        for (int i = 0; i < 6; i++)
        {
            term.Begin(now, 30, 100);
            lengths.Add(term.Until - now);
            term.End(now = term.Until);
        }
        Assert.That(lengths, Is.EqualTo([30, 60, 90, 100, 100, 100]));
    }

    [TestCase(29, 120)]
    [TestCase(30, 90)]
    [TestCase(89, 60)]
    [TestCase(90, 30)]
    [TestCase(1_000_000, 30)]
    public void Begin_AfterGoodTime_ForgivesOneForEachDuration(long goodTime, long expected)
    {
        var term = new EjectionTerm();
        long now = 0;
        for (int i = 0; i < 3; i++)
        {
            term.Begin(now, 30, 1000);
            term.End(now = term.Until);
        }
        now += goodTime;
        term.Begin(now, 30, 1000);
        Assert.That(term.Until - now, Is.EqualTo(expected));
    }

    private sealed class Notes : IStatusObserver
    {
        internal List<string> Lines { get; } = [];

        public void OnStatusChanged(Destination destination, DestinationStatus before, DestinationStatus after)
        {
            lock (Lines) Lines.Add($"{destination}: {before} -> {after}");
        }
    }
}
