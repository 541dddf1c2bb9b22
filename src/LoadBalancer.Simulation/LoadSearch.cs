using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation;

/// <summary>What a service promises: a quantile of the latency within a limit, and hardly any errors.</summary>
/// <param name="Quantile">0 to 1.</param>
/// <param name="Limit">In nanoseconds.</param>
public readonly record struct ServiceLevel(double Quantile, double Limit)
{
    /// <summary>Largest share of errors that is not a breach.</summary>
    public const double ErrorShareMax = 0.01;

    /// <summary>Reads <c>p99=50ms</c>.</summary>
    public static bool TryParse(string text, out ServiceLevel level)
    {
        level = default;
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 2 || text[0] != 'p' || !SimTime.TryParse(text[(equals + 1)..], out SimTime limit) || limit.IsShare || limit.Nanoseconds <= 0) return false;
        if (!double.TryParse(text.AsSpan(1, equals - 1), System.Globalization.NumberStyles.AllowDecimalPoint, null, out double percent) || percent is <= 0 or >= 100) return false;
        level = new ServiceLevel(percent / 100, limit.Nanoseconds);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"p{Quantile * 100:0.###} <= {SimTime.Format(Limit)}";

    internal bool IsKept(AlgorithmResult result) => result.Quantile(Quantile).Mean <= Limit && result.ErrorShare.Mean <= ErrorShareMax;
}

/// <summary>The most load that an algorithm carries within a service level.</summary>
/// <param name="Algorithm">Its name.</param>
/// <param name="Load">Part of the servers' capacity; 0 when even the least load tried is too much.</param>
/// <param name="Rate">The same in requests per second.</param>
/// <param name="AtLoad">What was measured there; null when there is none.</param>
public sealed record LoadSearchResult(string Algorithm, double Load, double Rate, AlgorithmResult? AtLoad);

/// <summary>
/// Finds the highest load at which an algorithm keeps a service level, with the same random numbers at every load: down in coarse steps to
/// the first that is kept, then by halving. Not up from below: where servers differ, an algorithm that counts requests may be worse with
/// hardly any load, when all counts are equal, than with some.
/// </summary>
public static class LoadSearch
{
    private const double Highest = 1.5; // above 1 a run that is short, or has a lenient limit, may still pass
    private const double Coarse = 0.1, Precision = 0.005;

    /// <summary>Most loads tried in a search of one algorithm.</summary>
    public static int StepsMax { get; } = (int)(Highest / Coarse) + (int)Math.Ceiling(Math.Log2(Coarse / Precision));

    /// <summary>The search for one algorithm.</summary>
    /// <param name="scenario">The servers and requests; its own load or rate does not matter.</param>
    /// <param name="algorithm">Name.</param>
    /// <param name="level">What must be kept.</param>
    /// <param name="seeds">Runs at each load.</param>
    /// <param name="firstSeed">The first seed.</param>
    /// <param name="step">Called after each load that was tried.</param>
    public static LoadSearchResult Find(Scenario scenario, string algorithm, ServiceLevel level, int seeds, ulong firstSeed = 1, Action? step = null)
    {
        AlgorithmResult? Try(double load)
        {
            AlgorithmResult result = Experiment.Run(scenario.WithLoad(load), [algorithm], seeds, firstSeed).Algorithms[0];
            step?.Invoke();
            return level.IsKept(result) ? result : null;
        }
        double low = Highest;
        AlgorithmResult? kept = Try(low);
        while (kept is null && low > 1.5 * Coarse) kept = Try(low -= Coarse);
        if (kept is null) return new LoadSearchResult(algorithm, 0, 0, null);
        for (double high = Math.Min(Highest, low + Coarse); high - low > Precision;)
        {
            double middle = (low + high) / 2;
            if (Try(middle) is { } result) (kept, low) = (result, middle);
            else high = middle;
        }
        return new LoadSearchResult(algorithm, low, low * Capacity.Of(scenario), kept);
    }
}
