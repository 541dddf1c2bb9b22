using LoadBalancer.Core.Configuration;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;
using NUnit.Framework;

namespace LoadBalancer.Lab.Tests;

/// <summary>A scenario on sockets does what it does in the simulator, as far as a count can tell: no times are asserted.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[NonParallelizable]
[CancelAfter(60_000)]
public sealed class LiveExperimentTests(TransportKind transport)
{
    private static readonly TimeSpan s_longPatience = TimeSpan.FromMinutes(1); // longer than a test may take

    [SetUp]
    public void SkipWhereUnsupported()
    {
        if (transport == TransportKind.Epoll && !OperatingSystem.IsLinux()) Assert.Ignore("the epoll transport needs Linux");
    }

    [Test]
    public async Task EachRequestIsMeasuredAndRoundRobinSpreadsEvenly()
    {
        AlgorithmResult result = await RunAsync(new Scenario { Requests = 1000, WarmUp = 0, Service = Short, Arrivals = new() { Rate = 1000 }, Servers = [new() { Count = 4 }] });
        foreach (RunResult run in result.Runs)
        {
            Assert.That((run.Measured, run.Errors, run.Retries, run.Latency.Count), Is.EqualTo((1000, 0, 0, 1000)));
            Assert.That(run.Servers.Select(server => server.Share), Is.All.EqualTo(0.25).Within(0.02));
        }
        Assert.That(result.Runs.Select(run => run.Seed), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task AServerThatFailsFastFailsItsShare()
    {
        AlgorithmResult result = await RunAsync(new Scenario
        {
            Requests = 1000, WarmUp = 0, Service = Short, Arrivals = new() { Rate = 1000 }, Servers = [new() { Count = 3 }, new() { BlackHole = new() }],
        });
        Assert.That(result.ErrorShare.Mean, Is.EqualTo(0.25).Within(0.01));
    }

    [Test]
    public async Task AServerThatJoinsGetsRequestsFromThenOn()
    {
        AlgorithmResult result = await RunAsync(new Scenario
        {
            Requests = 1000, WarmUp = 0, Service = Short, SlowStart = default, Arrivals = new() { Kind = ArrivalKind.Deterministic, Rate = 1000 },
            Servers = [new(), new() { JoinAt = SimTime.Percent(50) }],
        });
        Assert.That(result.Runs.Select(run => run.Servers[1].Share), Is.All.EqualTo(0.25).Within(0.1));
        Assert.That(result.ErrorShare.Mean, Is.Zero);
    }

    [Test]
    public async Task WhatACrashLosesIsRetried()
    {
        AlgorithmResult result = await RunAsync(new Scenario
        {
            Requests = 1000, WarmUp = 0, Service = Short, Retries = 2, Arrivals = new() { Rate = 1000 },
            Servers = [new() { Count = 3 }, new() { Crash = new() { At = SimTime.Percent(30), Until = SimTime.Percent(60) } }],
        });
        Assert.That(result.ErrorShare.Mean, Is.Zero);
        Assert.That(result.Runs.Select(run => run.Retries), Is.All.GreaterThan(10));
    }

    [Test]
    public async Task WhatIsNeverAnsweredIsAnError()
    {
        AlgorithmResult result = await RunAsync(new Scenario
        {
            Requests = 1000, WarmUp = 0, Service = Short, Arrivals = new() { Rate = 1000 },
            Servers = [new(), new() { SpeedChanges = [new() { At = default, Factor = 0 }] }],
        }, TimeSpan.FromSeconds(2));
        Assert.That(result.ErrorShare.Mean, Is.EqualTo(0.5).Within(0.01));
        Assert.That(result.Runs.Select(run => run.Latency.Count), Is.All.EqualTo(1000), "counted with the time they were waited for");
    }

    [Test]
    public async Task ATimeoutIsTheBalancers()
    {
        AlgorithmResult result = await RunAsync(new Scenario
        {
            Requests = 1000, WarmUp = 0, Service = Short, Arrivals = new() { Rate = 1000 }, Timeout = SimTime.Milliseconds(20),
            Servers = [new() { SpeedChanges = [new() { At = default, Factor = 0 }] }],
        });
        Assert.That(result.ErrorShare.Mean, Is.EqualTo(1));
        Assert.That(result.Latency.Max, Is.LessThan(s_longPatience.TotalNanoseconds), "the turn did not have to end them");
    }

    [Test]
    public async Task SeveralBalancersAndHashingPoliciesCanBeRun()
    {
        var scenario = new Scenario { Requests = 1000, WarmUp = 0, Service = Short, Arrivals = new() { Rate = 3000 }, Keys = 1, Balancers = 3, Servers = [new() { Count = 4 }] };
        LiveResult result = await LiveExperiment.RunAsync(scenario, LiveExperiment.Algorithms, Options() with { Rounds = 1 });
        Assert.That(result.Experiment.Algorithms.Select(algorithm => algorithm.Name), Is.EqualTo(LiveExperiment.Algorithms).And.Contains("rendezvous"));
        Assert.That(result.Experiment.Algorithms.Sum(algorithm => algorithm.Runs[0].Errors), Is.Zero);
        Assert.That(result.Lateness.Count, Is.GreaterThanOrEqualTo(2 * 1000 * LiveExperiment.Algorithms.Count), "each arrival and each answer");
    }

    [Test]
    public void ABadScenarioIsRefused() =>
        Assert.ThrowsAsync<ArgumentException>(() => LiveExperiment.RunAsync(new Scenario { Servers = [] }, ["round-robin"], Options()));

    [Test]
    public void MoreBalancersThanCanBeRunAreRefused() =>
        Assert.ThrowsAsync<ArgumentException>(() => LiveExperiment.RunAsync(new Scenario { Balancers = LiveExperiment.BalancersMax + 1 }, ["round-robin"], Options()));

    private static DurationSpec Short => new() { Kind = DurationKind.Constant, Mean = SimTime.Milliseconds(2) };

    private LiveOptions Options() => new() { Rounds = 2, Transport = transport, Rehearsal = TimeSpan.Zero, Patience = s_longPatience };

    private async Task<AlgorithmResult> RunAsync(Scenario scenario, TimeSpan? patience = null)
    {
        LiveResult result = await LiveExperiment.RunAsync(scenario, ["round-robin"], Options() with { Patience = patience ?? s_longPatience });
        return result.Experiment.Algorithms[0];
    }
}
