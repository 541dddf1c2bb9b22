using System.Globalization;

namespace LoadBalancer.Core.Configuration;

/// <summary>Durations as text: a whole number with a unit, "500ms", "30s", "2m", "1h", "1d".</summary>
internal static class DurationText
{
    /// <summary>What the schema allows and messages show.</summary>
    internal const string Pattern = "^(0|[0-9]+(ms|s|m|h|d))$";

    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Reads a duration; false for anything else and for what does not fit a <see cref="TimeSpan"/>.</summary>
    internal static bool TryParse(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (text == "0") return true;
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0) return false;
        foreach ((string unit, long ticks) in Units)
        {
            if (!text.AsSpan(digits).SequenceEqual(unit)) continue;
            if (!long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long count)) return false;
            if (count > TimeSpan.MaxValue.Ticks / ticks) return false;
            value = TimeSpan.FromTicks(count * ticks);
            return true;
        }
        return false;
    }

    /// <summary>The shortest text that reads back as the same value; fractions of a millisecond are shown as ticks would be rounded.</summary>
    internal static string Format(TimeSpan value)
    {
        if (value == TimeSpan.Zero) return "0";
        foreach ((string unit, long ticks) in Units)
            if (value.Ticks % ticks == 0) return string.Create(CultureInfo.InvariantCulture, $"{value.Ticks / ticks}{unit}");
        return string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:0.####}ms");
    }
}
