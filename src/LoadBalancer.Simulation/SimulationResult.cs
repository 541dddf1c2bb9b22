namespace LoadBalancer.Simulation;

/// <summary>What was measured after the warm-up.</summary>
public sealed record SimulationResult
{
    /// <summary>From arrival to answer, of successes, in nanoseconds.</summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>Requests answered with an error.</summary>
    public required long Errors { get; init; }

    /// <summary>Requests for which no server could be picked.</summary>
    public required long Refused { get; init; }

    /// <summary>Seconds measured.</summary>
    public required double Seconds { get; init; }

    /// <summary>Server by server.</summary>
    public required IReadOnlyList<ServerResult> Servers { get; init; }

    /// <summary>Hash over every pick: equal for equal runs, on any machine.</summary>
    public required ulong PickHash { get; init; }

    /// <summary>Mean latency of successes in seconds.</summary>
    public double MeanSeconds => Latency.Mean / Simulator.TicksPerSecond;

    /// <summary>Quantile of the latency of successes in seconds.</summary>
    public double QuantileSeconds(double part) => Latency.Quantile(part) / (double)Simulator.TicksPerSecond;

    /// <summary>Errors as a part of all answers.</summary>
    public double ErrorShare => Errors / (double)Math.Max(1, Errors + Latency.Count);

    /// <summary>
    /// Little's law: requests in the servers, by the mean over time, over arrival rate times mean latency. 1, but for the edges of the
    /// measurement; a check of the simulator itself, in every run without errors.
    /// </summary>
    public double LittleRatio => Servers.Sum(server => server.OutstandingMean) / (Latency.Count / Seconds * MeanSeconds);
}

/// <summary>What was measured of one server.</summary>
/// <param name="Picks">Requests sent there.</param>
/// <param name="Utilization">Part of its cores in use, by the mean over time.</param>
/// <param name="OutstandingMean">Requests there, by the mean over time.</param>
/// <param name="OutstandingMax">Most at a time.</param>
public sealed record ServerResult(long Picks, double Utilization, double OutstandingMean, int OutstandingMax);
