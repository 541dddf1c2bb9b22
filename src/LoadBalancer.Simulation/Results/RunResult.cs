namespace LoadBalancer.Simulation.Results;

/// <summary>What came out of one run: one scenario, one algorithm, one seed.</summary>
public sealed class RunResult
{
    /// <summary>Name of the algorithm.</summary>
    public required string Algorithm { get; init; }

    /// <summary>Seed of everything random in it.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Requests simulated, the warm-up included.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests measured: all after the warm-up.</summary>
    public required long Measured { get; init; }

    /// <summary>Requests measured that got no answer, an error, or one that was too late.</summary>
    public required long Errors { get; init; }

    /// <summary>Attempts after the first, of requests measured.</summary>
    public required long Retries { get; init; }

    /// <summary>
    /// Latencies from arrival to answer. Successes, and what was given up after a time-out or at the end of the simulation with the time it
    /// had been waited for; fast failures are not in it, or failing would look good.
    /// </summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>
    /// Herding: mean over time of the most in flight per core on any server, over the mean of in flight per core on all. 1 is perfect.
    /// </summary>
    public required double Imbalance { get; init; }

    /// <summary>How often a server was seen with so many requests, as the index says; the last place counts all beyond it too.</summary>
    public required IReadOnlyList<long> QueueLengths { get; init; }

    /// <summary>Last place of <see cref="QueueLengths"/>.</summary>
    public const int QueueLengthMax = 63;

    /// <summary>Per server, in the order of the scenario.</summary>
    public required IReadOnlyList<ServerResult> Servers { get; init; }

    /// <summary>In flight over time.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>Length of the run in virtual nanoseconds.</summary>
    public required long Length { get; init; }

    /// <summary>Sum over all requests of the time at servers, over the integral of requests at servers: 1 in any queueing system (Little 1961).</summary>
    public required double LittleRatio { get; init; }

    /// <summary>Hash of every request's server and latency: equal wherever and whenever the run is repeated.</summary>
    public required ulong Hash { get; init; }

    /// <summary>The part of looks at servers that found so many requests or more.</summary>
    public double QueueAtLeast(int length) => (double)QueueLengths.Skip(length).Sum() / Math.Max(1, QueueLengths.Sum());

    /// <summary>Errors per request.</summary>
    public double ErrorShare => (double)Errors / Math.Max(1, Measured);
}

/// <summary>One server in one run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Share">Part of all attempts that went to it.</param>
/// <param name="Utilization">Part of its core time that was in use, stalls included.</param>
/// <param name="InFlightMean">Mean over time of requests there.</param>
/// <param name="InFlightMax">Most requests at once.</param>
public sealed record ServerResult(string Name, double Share, double Utilization, double InFlightMean, int InFlightMax);
