using System.Globalization;
using System.Text.Json;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Replay;

/// <summary>
/// Reads arrivals and service times from an access log. Two forms, told apart line by line:
/// <list type="bullet">
/// <item>JSON lines: an object with <c>time</c> (RFC 3339 text, or Unix seconds) and <c>duration</c> (a number of seconds, or text with a
/// unit such as <c>"12.5ms"</c>); other keys do not matter.</item>
/// <item>Common or combined format with the duration as last field: <c>0.012</c> with a point is seconds (nginx's $request_time), a whole
/// number is microseconds (Apache's %D).</item>
/// </list>
/// Times of whole seconds are spread evenly over their second, in the order of the lines. Durations are taken as what the requests cost
/// alone: if the servers were busy when they were recorded, that is too much.
/// </summary>
public static class AccessLog
{
    /// <summary>Fewest requests that make a trace.</summary>
    public const int RequestsMin = 10;
    private const double NanosecondsPerTick = 100;

    /// <summary>Reads a log.</summary>
    /// <param name="lines">Its lines.</param>
    /// <param name="skipped">Lines that could not be read: empty, cut, or without a duration.</param>
    /// <returns>Null when fewer than <see cref="RequestsMin"/> lines could be read.</returns>
    public static Trace? Read(IEnumerable<string> lines, out int skipped)
    {
        skipped = 0;
        var requests = new List<(long Ticks, double Duration)>();
        foreach (string line in lines)
        {
            bool isRead = line.StartsWith('{') ? TryReadJson(line, out long ticks, out double duration) : TryReadCommon(line, out ticks, out duration);
            if (isRead) requests.Add((ticks, Math.Max(1e3, duration))); // at least 1 us: logs round down to 0
            else skipped++;
        }
        if (requests.Count < RequestsMin) return null;

        (long Ticks, double Duration)[] sorted = [.. requests.OrderBy(request => request.Ticks)]; // stable: lines of one time keep their order
        long[] times = [.. sorted.Select(request => request.Ticks)];
        bool isWholeSeconds = Array.TrueForAll(times, ticks => ticks % TimeSpan.TicksPerSecond == 0);
        double[] nanoseconds = [.. times.Select(ticks => (ticks - times[0]) * NanosecondsPerTick)];
        if (isWholeSeconds) Spread(nanoseconds);
        return new Trace([.. nanoseconds.Select(time => (long)(time - nanoseconds[0]))], [.. sorted.Select(request => request.Duration)]);
    }

    private static void Spread(double[] times)
    {
        for (int from = 0, to; from < times.Length; from = to)
        {
            double second = times[from];
            to = from;
            while (to < times.Length && times[to] == second) to++;
            for (int i = from; i < to; i++) times[i] = second + 1e9 * (i - from + 0.5) / (to - from);
        }
    }

    private static bool TryReadJson(string line, out long ticks, out double duration)
    {
        ticks = 0;
        duration = 0;
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.TryGetProperty("time", out JsonElement time) && document.RootElement.TryGetProperty("duration", out JsonElement length)
                && TryTime(time, out ticks) && TryDuration(length, out duration);
        }
        catch (JsonException)
        {
            return false; // counted; a log's last line is often cut
        }
    }

    private static bool TryTime(JsonElement time, out long ticks)
    {
        ticks = 0;
        if (time.ValueKind == JsonValueKind.Number && time.TryGetDouble(out double seconds) && seconds is >= 0 and < 1e11)
        {
            ticks = (long)(seconds * TimeSpan.TicksPerSecond);
            return true;
        }
        if (time.ValueKind != JsonValueKind.String || !time.TryGetDateTimeOffset(out DateTimeOffset at)) return false;
        ticks = at.UtcTicks;
        return true;
    }

    private static bool TryDuration(JsonElement length, out double nanoseconds)
    {
        nanoseconds = 0;
        if (length.ValueKind == JsonValueKind.Number && length.TryGetDouble(out double seconds)) nanoseconds = seconds * 1e9;
        else if (length.ValueKind == JsonValueKind.String && SimTime.TryParse(length.GetString()!, out SimTime time) && !time.IsShare) nanoseconds = time.Nanoseconds;
        else return false;
        return nanoseconds is >= 0 and < 1e14;
    }

    // 192.0.2.1 - - [10/Oct/2026:13:55:36 +0200] "GET / HTTP/1.1" 200 2326 "-" "curl" 0.012
    private static bool TryReadCommon(string line, out long ticks, out double duration)
    {
        ticks = 0;
        duration = 0;
        int open = line.IndexOf('[', StringComparison.Ordinal), close = open < 0 ? -1 : line.IndexOf(']', open);
        if (close < 0 || !DateTimeOffset.TryParseExact(line.AsSpan(open + 1, close - open - 1), "dd/MMM/yyyy:HH:mm:ss zzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset at)) return false;
        string rest = line[(close + 1)..].TrimEnd();
        string last = rest[(rest.LastIndexOf(' ') + 1)..].Trim('"');
        if (FieldsAfterRequest(rest) < 3 || !double.TryParse(last, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)) return false;
        ticks = at.UtcTicks;
        duration = last.Contains('.', StringComparison.Ordinal) ? number * 1e9 : number * 1e3;
        return duration < 1e14;
    }

    // Status and size are two: without a third the last is the size, not a duration.
    private static int FieldsAfterRequest(string rest)
    {
        int quote = rest.IndexOf('"', StringComparison.Ordinal), end = quote < 0 ? -1 : rest.IndexOf('"', quote + 1);
        if (end < 0) return 0;
        int fields = 0;
        bool isQuoted = false, isInField = false;
        foreach (char c in rest.AsSpan(end + 1))
        {
            if (c == '"') isQuoted = !isQuoted;
            bool isSpace = c == ' ' && !isQuoted;
            if (!isSpace && !isInField) fields++;
            isInField = !isSpace;
        }
        return fields;
    }
}
