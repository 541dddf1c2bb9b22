using System.Globalization;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Sizes as text: a whole number with a unit, "16KiB" (1024) or "16KB" (1000), without regard to case.</summary>
internal static class SizeText
{
    internal const string Pattern = "^[0-9]+([KkMmGg][Ii]?)?[Bb]$";

    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1),
    ];

    internal static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0) return false;
        foreach ((string unit, long size) in Units)
        {
            if (!text.AsSpan(digits).Equals(unit, StringComparison.OrdinalIgnoreCase)) continue;
            if (!long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long count) || count > long.MaxValue / size) return false;
            bytes = count * size;
            return true;
        }
        return false;
    }

    /// <summary>In the largest binary unit that divides it; plain when none does.</summary>
    internal static string Format(long bytes)
    {
        foreach ((string unit, long size) in Units)
            if (bytes != 0 && unit.Length == 3 && bytes % size == 0) return string.Create(CultureInfo.InvariantCulture, $"{bytes / size}{unit}");
        return bytes.ToString(CultureInfo.InvariantCulture);
    }
}
