using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Engine;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Tests;

public sealed class SimulatorTests
{
    [TestCaseSource(typeof(Experiment), nameof(Experiment.Algorithms))]
    public void Run_SameSeed_GivesTheSameHash_AndAnotherSeedAnother(string algorithm)
    {
        ulong Hash(ulong seed) => Experiment.Run(Make.Ready("many-balancers", 5000), algorithm, seed).Hash;
        Assert.That(Hash(1), Is.EqualTo(Hash(1)));
        Assert.That(Hash(2), Is.Not.EqualTo(Hash(1)));
    }

    [Test]
    public void Run_OneServer_AllAlgorithmsMeetTheSameWork() // nothing to choose: they must agree to the last nanosecond
    {
        Scenario scenario = Make.Scenario(new ServerSpec());
        Assert.That(Experiment.Algorithms.Select(algorithm => Experiment.Run(scenario, algorithm, 1).Hash).Distinct(), Has.Exactly(1).Items);
    }

    // Golden: the same on every machine, debug or release, interpreted, compiled or native. A change of the simulator's behaviour changes
    // them on purpose, and then they are replaced by what the failure shows. Round robin and the oracle, as other policies may be improved.
    [TestCase("gc-pauses", "round-robin", "20b568a555ab7f15")]
    [TestCase("antagonist", "oracle", "7c260243febca8c1")]
    public void Run_KnownScenario_GivesTheHashItAlwaysGave(string scenario, string algorithm, string hash) =>
        Assert.That($"{Experiment.Run(Make.Ready(scenario), algorithm, 1).Hash:x16}", Is.EqualTo(hash));

    [Test]
    [NonParallelizable]
    public void Run_TwiceTheRequests_AllocatesNoMore()
    {
        static long Allocated(int requests)
        {
            Scenario scenario = Make.Ready("many-balancers", requests);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Experiment.Run(scenario, "least-outstanding", 1);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Allocated(20_000);
        long few = Allocated(100_000), many = Allocated(200_000);
        Assert.That(many - few, Is.LessThan(64 * 1024), "tables may double once more; 100 000 requests more must cost nothing each");
    }

    [TestCase("uniform")]
    [TestCase("heterogeneous")]
    [TestCase("antagonist")]
    [TestCase("slow-start")]
    [TestCase("black-hole")]
    [TestCase("gc-pauses")]
    [TestCase("many-balancers")]
    [TestCase("flash-crowd")]
    [TestCase("shared-machines")]
    public void Run_ReadyScenario_CountsEveryRequestOnce_AndKeepsLittlesLaw(string name)
    {
        RunResult run = Experiment.Run(Make.Ready(name), "least-outstanding", 1);
        Assert.That(run.Measured, Is.EqualTo(18_000));
        Assert.That(run.LittleRatio, Is.EqualTo(1).Within(1e-6));
        Assert.That(run.Servers.Sum(server => server.Share), Is.EqualTo(1).Within(1e-9));
    }

    [Test]
    public void Run_ServerCrashes_LosesWhatItHad_AndRetriesSaveIt()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 3 }, new ServerSpec { Crash = new OutageSpec { At = SimTime.Percent(50) } });
        RunResult without = Experiment.Run(scenario, "round-robin", 1);
        scenario.Retries = 2;
        RunResult with = Experiment.Run(scenario, "round-robin", 1);
        Assert.That(without.ErrorShare, Is.EqualTo(0.25 * 0.5 / 0.9).Within(0.01), "a quarter of half of the run, of which a tenth was warm-up");
        Assert.That(with.Errors, Is.Zero);
        Assert.That(with.Retries, Is.EqualTo(without.Errors).Within(1).Percent, "a retry goes elsewhere, and takes no turn from the others");
    }

    [Test]
    public void Run_HealthChecks_EndTheErrorsOfACrash()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 3 }, new ServerSpec { Crash = new OutageSpec { At = SimTime.Percent(50), Until = SimTime.Percent(90) } });
        scenario.FailureDetection = SimTime.Percent(4);
        RunResult run = Experiment.Run(scenario, "round-robin", 1);
        Assert.That(run.ErrorShare, Is.EqualTo(0.25 * 0.04 / 0.9).Within(0.005));
    }

    [TestCase("round-robin")]
    [TestCase("least-outstanding")]
    [TestCase("prequal")]
    public void Run_Ejection_EndsMostErrorsOfABlackHole(string algorithm)
    {
        Scenario scenario = Make.Ready("black-hole", 100_000);
        double without = Experiment.Run(scenario, algorithm, 1).ErrorShare;
        scenario.Ejection = true;
        Assert.That(Experiment.Run(scenario, algorithm, 1).ErrorShare, Is.LessThan(without / 4));
    }

    [Test]
    public void Run_RetryBudget_BoundsTheRetries()
    {
        // All servers but one refuse from the middle on; 20 000 requests in 10 s of virtual time.
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 10, Crash = new OutageSpec { At = SimTime.Percent(50) } }, new ServerSpec { JoinAt = SimTime.Percent(99) });
        scenario.Retries = 3;
        scenario.WarmUp = 0;
        scenario.RetryBudget = 0.2;
        RunResult run = Experiment.Run(scenario, "round-robin", 1);
        double granted = 0.2 * run.Requests + 3 * (run.Length / 1e9 + RetryBudget.MemorySeconds);
        Assert.That(run.Retries, Is.InRange(0.5 * granted, granted));
        scenario.RetryBudget = null;
        Assert.That(Experiment.Run(scenario, "round-robin", 1).Retries, Is.GreaterThan(4 * granted));
    }

    [Test]
    public void Run_SecondTier_IsUsedWhenTheFirstIsDown()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Crash = new OutageSpec { At = SimTime.Percent(50) } }, new ServerSpec { Tier = 1 });
        scenario.WarmUp = 0;
        scenario.FailureDetection = SimTime.Percent(0.1);
        RunResult run = Experiment.Run(scenario, "round-robin", 1);
        Assert.That(run.Servers[1].Share, Is.EqualTo(0.5).Within(0.02));
    }

    [Test]
    public void Run_ServerHangs_TimeoutsEndTheWait()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 3 }, new ServerSpec { SpeedChanges = [new SpeedPoint { At = SimTime.Percent(50), Factor = 0 }] });
        scenario.Timeout = SimTime.Milliseconds(500);
        RunResult run = Experiment.Run(scenario, "round-robin", 1);
        Assert.That(run.ErrorShare, Is.EqualTo(0.25 * 0.5 / 0.9).Within(0.01));
        Assert.That(run.Latency.Max, Is.EqualTo(500_000_000));
    }

    [Test]
    public void Run_ServerHangsWithoutTimeout_EndsAllTheSame()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { SpeedChanges = [new SpeedPoint { At = SimTime.Percent(50), Factor = 0 }] });
        Assert.That(Experiment.Run(scenario, "round-robin", 1).ErrorShare, Is.EqualTo(0.5 / 0.9).Within(0.02));
    }

    [Test]
    public void Run_QueueIsFull_RefusesTheRest()
    {
        // M/M/1/2, one in service and one waiting: at load 1 its three states are equally likely, and one of them refuses.
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 1, Cores = 1, Discipline = Discipline.FirstComeFirstServed, QueueMax = 1 });
        scenario.Arrivals.Load = 1;
        Assert.That(Experiment.Run(scenario, "round-robin", 1).ErrorShare, Is.EqualTo(1.0 / 3).Within(0.02));
    }

    [Test]
    public void Run_TwoClasses_EachCostsItsOwn()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 16 });
        scenario.Arrivals.Load = 0.05;
        ClassSpec Of(double milliseconds, double share) => new() { Share = share, Service = new DurationSpec { Kind = DurationKind.Constant, Mean = SimTime.Milliseconds(milliseconds) } };
        scenario.Classes = [Of(2, share: 3), Of(50, share: 1)];
        LatencyHistogram latency = Experiment.Run(scenario, "round-robin", 1).Latency;
        Assert.That(latency.Quantile(0.74), Is.EqualTo(2e6).Within(0.5).Percent);
        Assert.That(latency.Quantile(0.76), Is.EqualTo(50e6).Within(0.5).Percent);
        Assert.That(Capacity.Of(scenario), Is.EqualTo(16 * 4 / 0.014).Within(1e-9).Percent, "14 ms on average");
    }

    [Test]
    public void Run_ByClassWithoutClasses_IsTheFlagship()
    {
        ulong Hash(string algorithm) => Experiment.Run(Make.Ready("many-balancers", 5000), algorithm, 1).Hash;
        Assert.That(Hash(Algorithm.ByClassName), Is.EqualTo(Hash("latency-weighted")));
    }

    // Latencies 100 times apart say little of the servers before their class is known.
    [Test]
    public void Normalize_ClassesFarApart_LeavesWhatTheServerDid()
    {
        var means = new ClassMeans();
        for (int i = 0; i < 2000; i++) means.Normalize(i % 2, i % 2 == 0 ? 1_000_000 : 100_000_000);
        Assert.That(means.Normalize(0, 1_000_000), Is.EqualTo(10e6).Within(2).Percent, "the geometric mean of both");
        Assert.That(means.Normalize(1, 300_000_000), Is.EqualTo(30e6).Within(2).Percent);
    }

    [Test]
    public void Run_NetworkDelay_AddsBothWays()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 4 });
        double near = Experiment.Run(scenario, "round-robin", 1).Latency.Mean;
        scenario.NetworkDelay = new DurationSpec { Kind = DurationKind.Constant, Mean = SimTime.Milliseconds(30) };
        Assert.That(Experiment.Run(scenario, "round-robin", 1).Latency.Mean - near, Is.EqualTo(60e6).Within(1).Percent);
    }

    [Test]
    public void Run_ServerJoins_GetsNothingBefore()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 3 }, new ServerSpec { JoinAt = SimTime.Percent(50) });
        scenario.SlowStart = default;
        RunResult run = Experiment.Run(scenario, "round-robin", 1);
        Assert.That(run.Servers[3].Share, Is.EqualTo(0.25 * 0.5 / 0.9).Within(0.01));
    }

    [Test]
    public void Run_SpeedHalved_TakesTwiceAsLong()
    {
        Scenario scenario = Make.Scenario(new ServerSpec { Count = 16, SpeedChanges = [new SpeedPoint { At = SimTime.Percent(50), Factor = 0.5 }] });
        scenario.WarmUp = 0;
        scenario.Arrivals = new ArrivalSpec { Kind = ArrivalKind.Deterministic, Load = 0.1 };
        scenario.Service = new DurationSpec { Kind = DurationKind.Constant, Mean = SimTime.Milliseconds(10) };
        LatencyHistogram latency = Experiment.Run(scenario, "round-robin", 1).Latency;
        Assert.That(latency.Quantile(0.25), Is.EqualTo(10e6).Within(0.5).Percent);
        Assert.That(latency.Quantile(0.75), Is.EqualTo(20e6).Within(0.5).Percent);
    }

    // Shares of errors over the measured part, in which the hole is open for about a third.
    [TestCase("latency-weighted", 0, 0.005)]
    [TestCase("round-robin", 0.02, 0.026)]
    [TestCase("power-of-two", 0.03, 0.06)]
    [TestCase("least-outstanding", 0.08, 0.15)]
    [TestCase("oracle", 0, 0)]
    public void Run_BlackHole_CostsErrors(string algorithm, double min, double max) =>
        Assert.That(Experiment.Run(Make.Ready("black-hole"), algorithm, 1).ErrorShare, Is.InRange(min, max));

    [TestCase(1)]
    [TestCase(8)]
    public void Run_HalfOfTheServersSlow_LatencyWeightedHasTheShortestTail(int balancers)
    {
        Scenario scenario = Make.Ready("heterogeneous", 50_000);
        scenario.Balancers = balancers;
        double Tail(string algorithm) => Experiment.Run(scenario, algorithm, 1).Latency.Quantile(0.99);
        double best = Tail("latency-weighted");
        foreach (string other in (string[])["least-outstanding", "power-of-two", "peak-ewma"]) Assert.That(Tail(other), Is.GreaterThan(best), other);
    }

    // The shape of Prequal's paper (Wydrowski et al. 2024, figure 6), never its milliseconds: below the allocation all are alike; at 1.74 of
    // it a static spread runs into the limit of 5 s, what looks at counts alone is between, and Prequal is far from it.
    [Test]
    public void Run_SharedMachines_PrequalHasTheShortestTailAboveTheAllocation()
    {
        Scenario scenario = Make.Ready("shared-machines", 60_000);
        RunResult At(double load, string algorithm) => Experiment.Run(scenario.WithLoad(load), algorithm, 1);
        RunResult prequal = At(0.82, "prequal"), roundRobin = At(0.82, "round-robin");
        Assert.That((prequal.Errors, roundRobin.Errors > 0), Is.EqualTo((0, true)));
        double tail = prequal.Latency.Quantile(0.999);
        foreach (string other in (string[])["power-of-two", "least-outstanding", "peak-ewma", "round-robin"])
            Assert.That(At(0.82, other).Latency.Quantile(0.999), Is.GreaterThan(2 * tail), other);
        Assert.That(At(0.35, "round-robin").Latency.Quantile(0.999), Is.LessThan(2 * At(0.35, "prequal").Latency.Quantile(0.999)));
    }

    [Test]
    public void Search_LooserServiceLevel_CarriesMoreLoad()
    {
        Scenario scenario = Make.Ready("uniform");
        double Load(string level) => LoadSearch.Find(scenario, "least-outstanding", ServiceLevel.TryParse(level, out ServiceLevel parsed) ? parsed : default, seeds: 1).Load;
        Assert.That(Load("p99=70ms"), Is.InRange(0.5, 0.95));
        Assert.That(Load("p99=90ms"), Is.GreaterThan(Load("p99=70ms")));
        Assert.That(Load("p99=1ms"), Is.Zero);
    }

    [Test]
    public void Search_LevelBrokenAtLowLoadOnly_FindsTheHighestLoadThatKeepsIt()
    {
        // With next to no load all counts are 0, and the slow half of the servers gets half of the requests.
        Scenario scenario = Make.Ready("heterogeneous");
        double Tail(double load)
        {
            scenario.Arrivals.Load = load;
            return Experiment.Run(scenario, "least-outstanding", 1).Latency.Quantile(0.95);
        }
        double atLittle = Tail(0.05), atSome = Tail(0.6);
        Assume.That(atSome, Is.LessThan(atLittle));
        LoadSearchResult result = LoadSearch.Find(scenario, "least-outstanding", new ServiceLevel(0.95, (atLittle + atSome) / 2), seeds: 1);
        Assert.That(result.Load, Is.GreaterThanOrEqualTo(0.6));
    }

    [Test]
    public void Compare_BestAlgorithm_IsFoundByPairedDifferences()
    {
        ExperimentResult result = Experiment.Run(Make.Ready("heterogeneous"), ["round-robin", "least-outstanding", "oracle"], seeds: 3);
        Assert.That(result.Best!.Name, Is.EqualTo("least-outstanding"), "the oracle is not for sale");
        Estimate over = result.Algorithms[0].P99OverBest!.Value;
        Assert.That(over.Mean - over.HalfWidth, Is.Positive);
    }

    [Test]
    public void Explain_MiddleOfTheRun_ShowsThePickedServerFirst()
    {
        string text = Explanation.Of(Make.Ready("heterogeneous"), "least-outstanding", 1, SimTime.Percent(50), picks: 2);
        Assert.That(text.Split("sends request"), Has.Length.EqualTo(3));
        Assert.That(text, Does.Match(@"to (\w+)\n.*\n> \1 "));
    }
}
