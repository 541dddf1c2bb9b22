using System.Globalization;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>Values as nginx writes them, and as lb does.</summary>
internal static class NginxValues
{
    private static readonly (string Unit, long Milliseconds)[] s_times =
    [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 7 * 86_400_000L), ("M", 30 * 86_400_000L), ("y", 365 * 86_400_000L),
    ];

    /// <summary>"60", "90s", "1m30s", "1h 30m"; null for anything else.</summary>
    internal static TimeSpan? Time(string text)
    {
        long total = 0;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return null;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits < 0) digits = rest.Length;
            if (digits == 0 || !long.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out long count)) return null;
            rest = rest[digits..];
            long unit = 1000;
            foreach ((string name, long milliseconds) in s_times)
            {
                if (!rest.StartsWith(name)) continue;
                unit = milliseconds;
                rest = rest[name.Length..];
                break;
            }
            if (count > 1_000_000_000 || (total += count * unit) > TimeSpan.MaxValue.TotalMilliseconds / 2) return null;
            if (!rest.IsEmpty && rest[0] == ' ') rest = rest.TrimStart();
            else if (!rest.IsEmpty && !char.IsAsciiDigit(rest[0])) return null;
        }
        return TimeSpan.FromMilliseconds(total);
    }

    /// <summary>The same as lb writes it.</summary>
    internal static object? Duration(string text) => Time(text) is { } time ? Duration(time) : null;

    internal static object Duration(TimeSpan time) => time == TimeSpan.Zero ? 0 : DurationText.Format(time);

    /// <summary>"8k", "10m", "1g", or bytes; null for anything else.</summary>
    internal static long? Size(string text)
    {
        if (text.Length == 0) return null;
        int shift = char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        return long.TryParse(shift == 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count <= long.MaxValue >> shift ? count << shift : null;
    }

    internal static object SizeText(long bytes) => bytes % 1024 == 0 && bytes > 0 ? Hosting.Configuration.SizeText.Format(bytes) : bytes;

    /// <summary>Value of "name=value" among arguments; null where there is none.</summary>
    internal static string? Option(IEnumerable<string> args, string name) =>
        args.FirstOrDefault(arg => arg.StartsWith(name + "=", StringComparison.Ordinal)) is { } found ? found[(name.Length + 1)..] : null;

    internal static int? Count(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : null;

    /// <summary>What lb counts or hashes by for a text of nginx's variables; null where it cannot.</summary>
    /// <param name="text">As in "$binary_remote_addr$http_x".</param>
    /// <param name="address">What stands for the client's address.</param>
    internal static List<string>? Key(string text, string address)
    {
        var parts = new List<string>();
        foreach (string variable in Variables(text) ?? [])
        {
            if (variable is "binary_remote_addr" or "remote_addr") parts.Add(address);
            else if (variable is "host" or "server_name" or "http_host") parts.Add("host");
            else if (variable is "uri" or "document_uri") parts.Add("path");
            else if (variable is "request_method") parts.Add("method");
            else if (variable.StartsWith("http_", StringComparison.Ordinal)) parts.Add("header:" + variable[5..].Replace('_', '-'));
            else if (variable.StartsWith("cookie_", StringComparison.Ordinal)) parts.Add("cookie:" + variable[7..]);
            else return null;
        }
        return parts.Count > 0 ? parts : null;
    }

    /// <summary>Names of the variables of a text that has nothing else; null where it has.</summary>
    internal static List<string>? Variables(string text)
    {
        var names = new List<string>();
        for (int at = 0; at < text.Length;)
        {
            if (text[at] != '$') return null;
            bool isBraced = at + 1 < text.Length && text[at + 1] == '{';
            int start = at + (isBraced ? 2 : 1), end = start;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_')) end++;
            if (end == start || (isBraced && (end == text.Length || text[end] != '}'))) return null;
            names.Add(text[start..end]);
            at = isBraced ? end + 1 : end;
        }
        return names;
    }
}
