using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Protection.Limits;

/// <summary>Rates as text: a count, a slash and a unit or duration: "100/s", "6000/m", "50/10s".</summary>
internal readonly record struct RateText(int Quota, TimeSpan Period)
{
    /// <summary>What the schema allows and messages show.</summary>
    internal const string Pattern = "^[0-9]+/[0-9]*(s|m|h|d)$";

    /// <summary>Shortest and longest period: the fields that tell clients have whole seconds.</summary>
    private static readonly TimeSpan PeriodMin = TimeSpan.FromSeconds(1), PeriodMax = TimeSpan.FromDays(30);

    /// <summary>What may be used at once where nothing is said: the quota of a second.</summary>
    internal int DefaultBurst => (int)Math.Max(1, Math.Ceiling(Quota / Period.TotalSeconds));

    /// <summary>Reads a rate; false for anything else, for none at all and for periods beyond a month.</summary>
    internal static bool TryParse(string text, out RateText rate)
    {
        rate = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out int quota) || quota == 0) return false;
        string period = text[(slash + 1)..];
        if (period.Length > 0 && !char.IsAsciiDigit(period[0])) period = "1" + period;
        if (!DurationText.TryParse(period, out TimeSpan time) || time < PeriodMin || time > PeriodMax || time.Ticks % TimeSpan.TicksPerSecond != 0) return false;
        rate = new(quota, time);
        return true;
    }
}
