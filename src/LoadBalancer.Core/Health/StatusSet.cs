using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LoadBalancer.Core.Health;

/// <summary>A set of final statuses, written as "200" and "200-399".</summary>
internal sealed class StatusSet
{
    private const int Min = 200, Max = 599;
    private readonly List<(int From, int To)> _ranges = [];

    private StatusSet()
    {
    }

    internal static bool TryParse(IReadOnlyList<string> ranges, [NotNullWhen(true)] out StatusSet? set)
    {
        var parsed = new StatusSet();
        set = null;
        foreach (string range in ranges)
        {
            if (!TryParse(range, out int from, out int to)) return false;
            parsed._ranges.Add((from, to));
        }
        set = parsed;
        return true;
    }

    internal static bool TryParse(string range, out int from, out int to)
    {
        int dash = range.IndexOf('-', StringComparison.Ordinal);
        to = 0;
        return TryNumber(dash < 0 ? range : range.AsSpan(0, dash), out from) && TryNumber(range.AsSpan(dash + 1), out to) && from <= to;

        static bool TryNumber(ReadOnlySpan<char> text, out int status) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= Min and <= Max;
    }

    internal bool Contains(int status)
    {
        foreach ((int from, int to) in _ranges)
            if (status >= from && status <= to) return true;
        return false;
    }
}
