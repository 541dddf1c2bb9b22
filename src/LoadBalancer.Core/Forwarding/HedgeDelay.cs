using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Forwarding;

/// <summary>When a request is hedged: after a fixed time, or at a quantile of the cluster's own latencies.</summary>
/// <param name="Fixed">Zero where the quantile says it.</param>
/// <param name="Quantile">0 where the time is fixed.</param>
internal readonly record struct HedgeDelay(TimeSpan Fixed, double Quantile)
{
    internal static readonly string[] Examples = ["p95", "50ms"];

    /// <summary>Reads "50ms" or "p95".</summary>
    internal static bool TryParse(string text, out HedgeDelay delay)
    {
        delay = default;
        if (text is ['p', _, _])
        {
            if (!int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int percent) || percent < 50) return false;
            delay = new HedgeDelay(TimeSpan.Zero, percent / 100.0);
            return true;
        }
        if (!DurationText.TryParse(text, out TimeSpan time) || time <= TimeSpan.Zero) return false;
        delay = new HedgeDelay(time, 0);
        return true;
    }
}
