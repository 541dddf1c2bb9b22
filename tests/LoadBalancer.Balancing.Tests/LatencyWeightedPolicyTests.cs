namespace LoadBalancer.Balancing.Tests;

public class LatencyWeightedPolicyTests
{
    private const PickOutcomeKind Good = PickOutcomeKind.Success;

    private static Scheduler Scheduler(int count, ulong seed = 1) => Make.Scheduler(new LatencyWeightedPolicy(), Make.Ones(count), Make.Options(seed));

    [Test]
    public void Pick_EqualDestinations_SharesEvenly()
    {
        var service = new VirtualService(Scheduler(16), (_, _, random) => (VirtualService.Around(10, random), Good), 3000);
        service.RunTo(2);
        int[] picks = service.RunTo(12);
        Assert.That(picks, Is.All.EqualTo(picks.Sum() / 16).Within(15).Percent);
    }

    [Test]
    public void Pick_HalfIsThreeTimesSlower_GivesThoseAboutAThirdEach()
    {
        // 3000 arrivals find some 40 under way: the price of a fast one with three is that of a slow one with none.
        var service = new VirtualService(Scheduler(16), (d, _, random) => (VirtualService.Around(d < 8 ? 10 : 30, random), Good), 6000);
        service.RunTo(2);
        int[] picks = service.RunTo(12);
        double slow = picks.Skip(8).Sum(), fast = picks.Take(8).Sum();
        Assert.That(slow / fast, Is.InRange(0.03, 0.4));
        Assert.That(picks, Is.All.Positive);
    }

    [TestCase(PickOutcomeKind.ServerError)]
    [TestCase(PickOutcomeKind.Refused)]
    public void Pick_OneFailsFast_AttractsNextToNothing(PickOutcomeKind kind)
    {
        var service = new VirtualService(Scheduler(16), (d, _, random) => d == 5 ? (100, kind) : (VirtualService.Around(10, random), Good), 3000);
        int[] picks = service.RunTo(20);
        Assert.That(picks[5] / (double)picks.Sum(), Is.LessThan(0.005), "onset included");
        Assert.That(service.RunTo(40)[5] / 60_000.0, Is.LessThan(0.003));
    }

    // What the flagship is to avoid: fast failures keep the outstanding count low, and that attracts.
    [Test]
    public void LeastOutstanding_OneFailsFast_AttractsMoreThanItsShare()
    {
        Scheduler scheduler = Make.Scheduler(new LeastOutstandingPolicy(), Make.Ones(16));
        int[] picks = new VirtualService(scheduler, (d, _, random) => d == 5 ? (100, PickOutcomeKind.ServerError) : (VirtualService.Around(10, random), Good), 3000).RunTo(20);
        Assert.That(picks[5] / (double)picks.Sum(), Is.GreaterThan(0.2));
    }

    // With 4 under way at each of the others, one with its failures half forgotten looks as good; without any, it takes until they are
    // forgotten altogether.
    [TestCase(6000, 10)]
    [TestCase(20, 28)]
    public void Pick_TheFailingOneHasRecovered_ReturnsToItsShare(double arrivalsPerSecond, double secondsMax)
    {
        const int Failing = 10;
        var service = new VirtualService(Scheduler(16), (d, now, random) => d == 5 && now < (1 + Failing) * Make.Second
            ? (100, PickOutcomeKind.ConnectFailure) : (VirtualService.Around(10, random), Good), arrivalsPerSecond);
        service.RunTo(Failing);
        int[] first = service.RunTo(Failing + secondsMax + 10 / arrivalsPerSecond * 16);
        Assert.That(first[5], Is.Positive);
        service.RunTo(60);
        int[] later = service.RunTo(60 + 30_000 / arrivalsPerSecond);
        Assert.That(later[5], Is.EqualTo(later.Sum() / 16).Within(20).Percent);
    }

    [Test]
    public void Pick_ADestinationStalls_GetsFewNewOnes()
    {
        // It goes silent for half a second: what it has begun, and what comes, ends when that is over.
        long from = 3 * Make.Second, to = from + Make.Second / 2;
        Answer answer = (d, now, random) =>
        {
            long time = VirtualService.Around(10, random);
            return (d == 2 && now + time > from && now < to ? to - now + time : time, Good);
        };
        int Stalled(IBalancingPolicy policy)
        {
            var service = new VirtualService(Make.Scheduler(policy, Make.Ones(8)), answer, 4000); // 5 under way at each
            service.RunTo(2.0);
            return service.RunTo(2.5)[2];
        }
        int latencyWeighted = Stalled(new LatencyWeightedPolicy()), roundRobin = Stalled(new RoundRobinPolicy()), leastOutstanding = Stalled(new LeastOutstandingPolicy());
        Assert.That(roundRobin, Is.EqualTo(250).Within(30));
        Assert.That(latencyWeighted, Is.LessThan(leastOutstanding).And.LessThan(10));
    }

    [Test]
    public void Pick_ElephantsAmongMice_DoNotMarkADestination()
    {
        // Two in a hundred take 25 times as long, everywhere: no reason to prefer anyone.
        var service = new VirtualService(Scheduler(10), (_, _, random) => (VirtualService.Around(random.Next(50) == 0 ? 100 : 4, random), Good), 2000);
        service.RunTo(2);
        int[] picks = service.RunTo(12);
        Assert.That(picks, Is.All.EqualTo(picks.Sum() / 10).Within(20).Percent);
    }

    [Test]
    public void Pick_AllFail_SharesAsIfNoneDid()
    {
        var service = new VirtualService(Scheduler(8), (_, _, _) => (1000, PickOutcomeKind.ConnectFailure), 2000);
        service.RunTo(3);
        int[] picks = service.RunTo(8);
        Assert.That(picks, Is.All.EqualTo(picks.Sum() / 8).Within(20).Percent);
    }

    [Test]
    public void Pick_BeyondTheScan_AvoidsTheSlow()
    {
        var service = new VirtualService(Scheduler(400), (d, _, random) => (VirtualService.Around(d % 2 == 0 ? 10 : 60, random), Good), 20_000);
        service.RunTo(3);
        int[] picks = service.RunTo(5);
        Assert.That(picks.Where((_, i) => i % 2 == 1).Sum() / (double)picks.Sum(), Is.LessThan(0.12));
    }

    [Test]
    public void Pick_IdleSlowDestination_IsTriedAgainAfterAWhile()
    {
        // One of two is ten times slower and then is not any more: it must be found out.
        long slowUntil = 4 * Make.Second;
        var service = new VirtualService(Scheduler(2), (d, now, random) => (VirtualService.Around(d == 1 && now < slowUntil ? 100 : 5, random), Good), 300);
        service.RunTo(3);
        service.RunTo(20);
        int[] picks = service.RunTo(30);
        Assert.That(picks[1], Is.EqualTo(picks.Sum() / 2).Within(20).Percent);
    }

    [Test]
    public void Pick_DestinationWithLatencyLearned_KeepsItThroughAnUpdate()
    {
        Scheduler scheduler = Scheduler(4);
        Answer answer = (d, _, random) => (VirtualService.Around(d == 0 ? 200 : 10, random), Good);
        var service = new VirtualService(scheduler, answer, 1000);
        service.RunTo(3);
        scheduler.Update(Make.Specs(Make.Ones(5)), service.Now);
        int[] picks = new VirtualService(scheduler, answer, 1000).RunTo(0.2);
        Assert.That(picks[0], Is.LessThan(picks[1] / 3));
    }

    [Test]
    public void Pick_NewcomerWithLoad_StartsWithATenth()
    {
        var scheduler = new Scheduler(new LatencyWeightedPolicy(), Make.Options());
        scheduler.Update(Make.Specs(Make.Ones(4)), 0);
        for (int i = 0; i < 400; i++) scheduler.Pick(new PickContext(Make.Second));
        scheduler.Update(Make.Specs(Make.Ones(5)), Make.Second);
        for (int i = 0; i < 100; i++) scheduler.Pick(new PickContext(Make.Second));
        Assert.That(scheduler.Find("e")!.Outstanding, Is.EqualTo(12).Within(2), "a tenth of what the others have");
    }

    [Test]
    public void Pick_DestinationAskedToBeLeftAlone_GetsNothingUntilThen()
    {
        Scheduler scheduler = Scheduler(4);
        PickLease lease = scheduler.Pick(new PickContext(Make.Second));
        Destination held = lease.Destination;
        lease.Complete(new(PickOutcomeKind.ServerError, 0, 100, 100, HoldTicks: 40 * Make.Second));
        for (int i = 0; i < 400; i++) Assert.That(scheduler.Pick(new PickContext(Make.Second + i * Make.Second / 10)).Destination, Is.Not.SameAs(held));
        Assert.That(scheduler.Pick(new PickContext(42 * Make.Second)).Destination, Is.SameAs(held), "the others have a hundred each");
    }
}
