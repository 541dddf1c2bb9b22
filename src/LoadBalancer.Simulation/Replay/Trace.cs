namespace LoadBalancer.Simulation.Replay;

/// <summary>Recorded requests: when each came, and how long it took.</summary>
public sealed class Trace
{
    internal Trace(long[] arrivals, double[] durations)
    {
        Arrivals = arrivals;
        Durations = durations;
    }

    /// <summary>Number of requests.</summary>
    public int Count => Arrivals.Length;

    /// <summary>Nanoseconds since the first, ascending.</summary>
    internal long[] Arrivals { get; }

    /// <summary>Nanoseconds each.</summary>
    internal double[] Durations { get; }

    /// <summary>Requests per second over the whole recording.</summary>
    public double Rate => (Count - 1) / (Math.Max(1, Arrivals[^1]) / 1e9);

    internal double MeanDuration => Durations.Average();
}
