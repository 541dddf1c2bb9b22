using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Tests;

public class SimulatorTests
{
    private static readonly Scenario Sixteen = new()
    {
        Servers = [.. Enumerable.Repeat(new ServerModel(4), 16)],
        Arrivals = new Exponential(0.01 / 64 / 0.7),
        Demand = new Lognormal(0.01, 1),
        Requests = 150_000,
    };

    private static IEnumerable<string> Names => BalancingPolicies.Names;

    [TestCaseSource(nameof(Names))]
    public void Run_SameSeed_GivesTheSamePicks(string name)
    {
        Scenario scenario = Sixteen with { Requests = 20_000 };
        SimulationResult one = Simulator.Run(scenario, BalancingPolicies.Create(name)), two = Simulator.Run(scenario, BalancingPolicies.Create(name));
        Assert.That(two.PickHash, Is.EqualTo(one.PickHash));
        Assert.That(two.MeanSeconds, Is.EqualTo(one.MeanSeconds));
    }

    [Test]
    public void Run_AnyPolicy_MeetsTheSameWork()
    {
        // One server: nothing to choose, so the results must agree to the last digit.
        Scenario scenario = Sixteen with { Servers = [new ServerModel(64)], Requests = 20_000 };
        double[] means = [.. Names.Select(name => Simulator.Run(scenario, BalancingPolicies.Create(name)).MeanSeconds)];
        Assert.That(means, Is.All.EqualTo(means[0]));
    }

    [Test]
    public void Run_AfterWarmUp_AllocatesNothingPerRequest()
    {
        static long Allocated(int requests)
        {
            Scenario scenario = Sixteen with { Requests = requests };
            long before = GC.GetAllocatedBytesForCurrentThread();
            Simulator.Run(scenario, new LatencyWeightedPolicy());
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Allocated(20_000);
        Assert.That(Allocated(120_000) - Allocated(20_000), Is.LessThan(20_000), "a few arrays that grow; less than a byte a request");
    }

    [Test]
    public void Run_SpeedHalved_TakesTwiceAsLong()
    {
        Scenario scenario = Sixteen with { Arrivals = new Constant(1), Demand = new Constant(0.01), Requests = 100, WarmUp = 0 };
        Assert.That(Simulator.Run(scenario, new RandomPolicy()).MeanSeconds, Is.EqualTo(0.01).Within(1e-8));
        scenario = scenario with { Servers = [.. Enumerable.Repeat(new ServerModel(4, 0.5), 16)] };
        Assert.That(Simulator.Run(scenario, new RandomPolicy()).MeanSeconds, Is.EqualTo(0.02).Within(1e-8));
    }

    [Test]
    public void Run_StallInTheMiddle_AddsItsLength()
    {
        var scenario = new Scenario
        {
            Servers = [new ServerModel()],
            Arrivals = new Constant(1),
            Demand = new Constant(0.5),
            Changes = [new(1.2, 0, Speed: 0), new(1.5, 0, Speed: 1)],
            Requests = 1,
            WarmUp = 0,
        };
        Assert.That(Simulator.Run(scenario, new FirstPolicy()).MeanSeconds, Is.EqualTo(0.8).Within(1e-8));
    }

    // Section "failing fast": what the flagship is for. Share of the errors with one of sixteen failing at once.
    [TestCase("latency-weighted", 0, 0.005)]
    [TestCase("round-robin", 0.06, 0.066)]
    [TestCase("power-of-two", 0.08, 0.16)]
    [TestCase("least-outstanding", 0.25, 0.6)]
    [TestCase("least-time", 0.25, 0.6)]
    public void Run_OneServerFailsFast_CostsErrors(string name, double min, double max)
    {
        Scenario scenario = Sixteen with { Arrivals = new Exponential(0.01 / 64 / 0.6), Changes = [new(0.5, 3, FailsAfterSeconds: 0.001)] };
        Assert.That(Simulator.Run(scenario, BalancingPolicies.Create(name)).ErrorShare, Is.InRange(min, max));
    }

    [TestCase(1)]
    [TestCase(8)]
    public void Run_HalfOfTheServersSlow_LatencyWeightedHasTheShortestTail(int balancers)
    {
        Scenario scenario = Sixteen with
        {
            Servers = [.. Enumerable.Range(0, 16).Select(i => new ServerModel(4, i % 2 == 0 ? 1 : 1 / 3.0))],
            Arrivals = new Exponential(0.01 / (64 * 2 / 3.0) / 0.75),
            Balancers = balancers,
        };
        double P99(IBalancingPolicy policy) => Simulator.Run(scenario, policy).QuantileSeconds(0.99);
        double flagship = P99(new LatencyWeightedPolicy());
        Assert.That(flagship, Is.LessThan(P99(new LeastOutstandingPolicy()) * 0.95));
        Assert.That(flagship, Is.LessThan(P99(new PowerOfTwoPolicy()) * 0.8));
        Assert.That(flagship, Is.LessThan(P99(new PeakEwmaPolicy()) * 0.9));
    }
}
