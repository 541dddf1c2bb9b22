using LoadBalancer.Core.Configuration;
using LoadBalancer.Simulation;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Lab;

/// <summary>
/// Runs a scenario of the simulator in real time: its servers answer on sockets, a <see cref="Core.ProxyServer"/> for each balancer stands before
/// them, and requests come when they are due, answered or not (open loop).
/// </summary>
public static class LiveExperiment
{
    /// <summary>Most balancers of a scenario that can be run: each is a thread here.</summary>
    public const int BalancersMax = 100;

    /// <summary>Names of the algorithms that can be compared: those that a configuration can name, but for prequal, whose probes the embedded servers do not answer.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = [.. ConfigRanges.BalancePolicies.Where(name => name != "prequal")];

    /// <summary>What of a scenario is done differently here than in the simulator, in sentences.</summary>
    public static IReadOnlyList<string> Differences(Scenario scenario)
    {
        var found = new List<string>();
        if (scenario.NetworkDelay is not null) found.Add("networkDelay is not simulated: the network is the loopback interface");
        if (scenario.FailureDetection is not null) found.Add("failureDetection is ignored: there are no health checks");
        if (scenario.Servers.Exists(server => server.Crash is not null)) found.Add("a crashed server resets connections instead of refusing them");
        if (scenario.Retries > 0) found.Add("retries follow the balancer's rules: broken connections are retried, answers of 5xx are passed on");
        return found;
    }

    /// <summary>All turns, round by round: A B C, A B C, …</summary>
    /// <param name="scenario">What happens. Its requests are those of one turn.</param>
    /// <param name="algorithms">Names, of <see cref="Algorithms"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Called after each turn with the part that is done.</param>
    /// <param name="cancellationToken">Ends it between two turns.</param>
    /// <exception cref="ArgumentException">The scenario is faulty, or has too many balancers.</exception>
    /// <exception cref="ConfigException">No algorithm has one of the names.</exception>
    public static async Task<LiveResult> RunAsync(
        Scenario scenario, IReadOnlyList<string> algorithms, LiveOptions options, Action<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ScenarioValidator.Check(scenario);
        if (scenario.Balancers > BalancersMax) throw new ArgumentException($"expected at most {BalancersMax} balancers", nameof(scenario));
        var lateness = new LatencyHistogram();
        double rate = Capacity.RateOf(scenario);
        double turn = scenario.Requests / rate, rehearsal = options.Rehearsal.TotalSeconds;
        double done = 0, all = algorithms.Count * (rehearsal + options.Rounds * turn);
        if (rehearsal > 0)
        {
            Scenario rehearsed = scenario.WithRequests(Math.Max(1, (int)(rate * rehearsal)));
            foreach (string algorithm in algorithms)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await LiveTurn.RunAsync(rehearsed, algorithm, options.Seed, options, new LatencyHistogram()).ConfigureAwait(false);
                progress?.Invoke((done += rehearsal) / all);
            }
        }
        var runs = algorithms.Select(_ => new List<RunResult>()).ToArray();
        for (int round = 0; round < options.Rounds; round++)
        {
            for (int i = 0; i < algorithms.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                runs[i].Add(await LiveTurn.RunAsync(scenario, algorithms[i], options.Seed + (ulong)round, options, lateness).ConfigureAwait(false));
                progress?.Invoke((done += turn) / all);
            }
        }
        return new LiveResult(Experiment.Compare(scenario, [.. algorithms.Select((name, i) => new AlgorithmResult(name, runs[i]))]), lateness);
    }
}
