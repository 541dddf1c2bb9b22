using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;
using NUnit.Framework;

namespace LoadBalancer.Lab.Tests;

/// <summary>
/// The default algorithm against the usual ones, on real sockets before servers of different speed, one that stalls and one that fails fast. Nothing is
/// compared but what took turns in the same run; the scenario sets the algorithms apart by a factor of about ten, so that a busy machine does not matter.
/// </summary>
[TestFixture]
[Category("Slow")]
[NonParallelizable]
[CancelAfter(120_000)]
public sealed class LiveComparisonTests
{
    private const string Flagship = "latency-weighted";
    private static readonly string[] s_others = ["least-outstanding", "power-of-two", "round-robin"];

    [Test]
    public async Task TheDefaultHasTheShortestTailAndTheFewestErrors()
    {
        var scenario = new Scenario
        {
            Name = "four, two at a twentieth of the speed, one that stalls, one that fails fast",
            Requests = 1000,
            WarmUp = 0.25,
            Arrivals = new() { Rate = 900 },
            Service = new() { Kind = DurationKind.Lognormal, Mean = SimTime.Milliseconds(10), Sigma = 0.3 },
            Servers =
            [
                new() { Count = 4 }, new() { Count = 2, Speed = 0.05 }, new() { BlackHole = new() },
                new() { Pauses = new() { Every = SimTime.Seconds(1), Length = SimTime.Milliseconds(400) } },
            ],
        };
        var options = new LiveOptions { Rounds = 3, Rehearsal = TimeSpan.FromMilliseconds(300), Patience = TimeSpan.FromMilliseconds(400) };
        LiveResult result = await LiveExperiment.RunAsync(scenario, [Flagship, .. s_others], options);
        TestContext.Out.WriteLine(Simulation.Reports.TextReport.Write(result.Experiment));
        TestContext.Out.WriteLine(LiveReport.Write(result));
        foreach (AlgorithmResult algorithm in result.Experiment.Algorithms) TestContext.Out.WriteLine($"{algorithm.Name}: p99 {P99(algorithm) / 1e6:0.0} ms at best, {Errors(algorithm)} errors");
        AlgorithmResult flagship = result.Experiment.Algorithms[0];
        foreach (AlgorithmResult other in result.Experiment.Algorithms.Skip(1))
        {
            Assert.That(P99(flagship), Is.LessThan(P99(other)), $"p99 of {other.Name}");
            Assert.That(Errors(flagship), Is.LessThan(Errors(other)), $"errors of {other.Name}");
        }
    }

    // Of the best round of each: what a busy machine does to a round only adds.
    private static double P99(AlgorithmResult result) => result.Runs.Min(run => run.Latency.Quantile(0.99));

    private static long Errors(AlgorithmResult result) => result.Runs.Sum(run => run.Errors);
}
