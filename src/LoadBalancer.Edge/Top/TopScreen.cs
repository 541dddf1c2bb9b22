using System.Globalization;
using System.Text;
using LoadBalancer.Admin.Dashboard;
using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Edge.Commands;

namespace LoadBalancer.Edge.Top;

/// <summary>Lays a sample out as lines of a terminal, none longer than its width. What comes from elsewhere is shown without control characters, which a terminal would obey.</summary>
internal sealed class TopScreen(int width, bool hasColor)
{
    private const string Bars = "▁▂▃▄▅▆▇█";
    private const int ReasonsMax = 6, EventsMax = 12, WidthMin = 40;
    private static readonly string[] Fine = ["Completed", "Cached", "Responded", "TunnelClosed"];

    private readonly int _width = Math.Max(WidthMin, width);
    private readonly List<string> _lines = [];

    private enum Tone { None, Strong, Quiet, Good, Bad }

    /// <summary>The lines of a sample.</summary>
    /// <param name="sample">What to show.</param>
    /// <param name="rates">Requests per second of the samples until now, the newest last.</param>
    /// <param name="events">The last events, oldest first.</param>
    internal IReadOnlyList<string> Lay(TopSample sample, IReadOnlyList<double> rates, IReadOnlyList<EventEntry> events)
    {
        DashboardEntry now = sample.Now;
        Line(("LoadBalancer ", Tone.Strong), (now.Version, Tone.Quiet), ("  ", Tone.None), (now.State, now.State == "serving" ? Tone.Good : Tone.Bad), ($"  up {Age(now.UptimeSeconds)}", Tone.Quiet));
        Line(("Requests   ", Tone.Quiet), ($"{Rate(sample.RequestsPerSecond)}/s", Tone.Strong), ("   Errors ", Tone.Quiet), ($"{Rate(sample.ErrorsPerSecond)}/s", sample.ErrorsPerSecond > 0 ? Tone.Bad : Tone.None),
            ("   Connections ", Tone.Quiet), (Count(now.Connections.Open), Tone.None));
        Line(("Latency    ", Tone.Quiet), ("p50 ", Tone.Quiet), (Time(sample.Percentile(0.5)), Tone.None), ("   p90 ", Tone.Quiet), (Time(sample.Percentile(0.9)), Tone.None), ("   p99 ", Tone.Quiet), (Time(sample.Percentile(0.99)), Tone.None));
        if (rates.Count > 1) Line(("           ", Tone.None), (Spark(rates, _width - 12), Tone.Good));
        foreach (DashboardCluster cluster in now.Clusters) Cluster(sample, cluster);
        Ends(sample);
        if (now.Refusals.Count > 0)
        {
            Heading("Refusals");
            foreach (Core.Events.RefusalView refusal in now.Refusals.OrderByDescending(one => one.Total).Take(ReasonsMax))
                Line(($"  {Count(refusal.Total),9}  ", Tone.None), (refusal.Policy, Tone.Strong), ($"  {refusal.Reason}{(refusal.DryRun ? ", dry run" : "")}", Tone.Quiet));
        }
        foreach (CertificateAlarm alarm in now.Certificates) Line(($"Certificate {string.Join(", ", alarm.Names)}: {alarm.Problem ?? $"{alarm.State}, {alarm.DaysLeft:0.#} days left"}", Tone.Bad));
        if (events.Count == 0) return _lines;
        Heading("Events");
        foreach (EventEntry one in events.TakeLast(EventsMax).Reverse())
            Line(($"  {one.Time.ToLocalTime():HH:mm:ss}  ", Tone.Quiet), (one.Kind, ToneOf(one.Kind)), (one.Subject.Length > 0 ? $" {one.Subject}" : "", Tone.Strong), ($": {one.Text}", Tone.None), (one.Actor is null ? "" : $", by {one.Actor}", Tone.Quiet));
        return _lines;
    }

    private void Cluster(TopSample sample, DashboardCluster cluster)
    {
        _lines.Add("");
        Line((cluster.Name, Tone.Strong), ($"  {cluster.Balance}  ", Tone.Quiet), ($"{cluster.Usable} of {cluster.Total} usable", cluster.Usable == 0 ? Tone.Bad : cluster.Usable < cluster.Total ? Tone.None : Tone.Good));
        var rows = cluster.Destinations.Select(one => (Destination: one, Rates: sample.Of(cluster.Name, one))).ToList();
        double all = rows.Sum(row => row.Rates.Requests);
        // The name gives way first, then the columns that say least.
        bool isWide = _width >= 84;
        int name = Math.Clamp(rows.Count == 0 ? 11 : rows.Max(row => row.Destination.Name.Length), 11, Math.Max(11, _width - (isWide ? 66 : 40)));
        Line(($"  {"DESTINATION".PadRight(name)}  {"REQ/S",7}  {"SHARE",6}  {"1ST BYTE",8}{(isWide ? $"  {"IN FLIGHT",9}  {"FAIL/S",7}" : "")}  STATE", Tone.Quiet));
        foreach ((DashboardDestination destination, (double requests, double failures, double? firstByte)) in rows)
        {
            Line(($"  {Cut(TerminalText.Clean(destination.Name), name).PadRight(name)}  {Rate(requests),7}  {(all > 0 ? $"{100 * requests / all:0} %" : "–"),6}  {Time(firstByte),8}", Tone.None),
                (isWide ? $"  {Count(destination.Outstanding),9}" : "", Tone.None), (isWide ? $"  {Rate(failures),7}" : "", failures > 0 ? Tone.Bad : Tone.None),
                (destination.Usable ? "  usable" : $"  {string.Join(", ", destination.Reasons)}", destination.Usable ? Tone.Good : destination.Reasons is ["draining"] ? Tone.Quiet : Tone.Bad));
        }
        if (cluster.Total > cluster.Destinations.Count) Line(($"  and {cluster.Total - cluster.Destinations.Count} more", Tone.Quiet));
    }

    private void Ends(TopSample sample)
    {
        KeyValuePair<string, long>[] ends = [.. sample.Now.Ends.Where(one => !Fine.Contains(one.Key)).OrderByDescending(one => one.Value).Take(ReasonsMax)];
        if (ends.Length == 0) return;
        Heading("Ended otherwise than by an answer");
        foreach ((string reason, long count) in ends)
        {
            double rate = sample.EndsPerSecond(reason);
            Line(($"  {Count(count),9}  ", Tone.None), (reason, Tone.None), (rate > 0 ? $"  {Rate(rate)}/s" : "", Tone.Bad));
        }
    }

    private void Heading(string text)
    {
        _lines.Add("");
        Line((text, Tone.Strong));
    }

    private void Line(params ReadOnlySpan<(string Text, Tone Tone)> parts)
    {
        var line = new StringBuilder();
        int left = _width;
        foreach ((string text, Tone tone) in parts)
        {
            string shown = Cut(TerminalText.Clean(text), left);
            left -= shown.Length;
            string code = !hasColor ? "" : tone switch { Tone.Strong => "\e[1m", Tone.Quiet => "\e[2m", Tone.Good => "\e[32m", Tone.Bad => "\e[31m", _ => "" };
            if (code.Length == 0 || shown.Length == 0) line.Append(shown);
            else line.Append(code).Append(shown).Append("\e[0m");
            if (left == 0) break;
        }
        _lines.Add(hasColor ? line.ToString() : line.ToString().TrimEnd());
    }

    private static Tone ToneOf(string kind) => kind switch
    {
        "destinationUnhealthy" or "destinationEjected" or "destinationExpired" or "certificateFailing" or "certificateExpiring" or "addressListFailing" or "configurationRefused" or "refusals" or "banned" => Tone.Bad,
        "destinationHealthy" or "destinationReturned" or "destinationEnabled" or "certificateRestored" or "addressListRestored" or "serverStarted" => Tone.Good,
        _ => Tone.None,
    };

    private static string Spark(IReadOnlyList<double> values, int length)
    {
        double[] last = [.. values.TakeLast(Math.Max(1, length))];
        double max = Math.Max(1, last.Max());
        return string.Concat(last.Select(value => Bars[(int)Math.Clamp(value / max * Bars.Length, 0, Bars.Length - 1)]));
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : length <= 1 ? text[..length] : $"{text[..(length - 1)]}…";

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Rate(double rate) => rate >= 99.95 ? rate.ToString("N0", CultureInfo.InvariantCulture) : rate >= 9.995 ? rate.ToString("0.0", CultureInfo.InvariantCulture)
        : rate > 0 ? rate.ToString("0.00", CultureInfo.InvariantCulture) : "0";

    private static string Time(double? seconds) => seconds is not { } time ? "–" : time < 0.00995 ? string.Create(CultureInfo.InvariantCulture, $"{time * 1000:0.0} ms")
        : time < 0.9995 ? string.Create(CultureInfo.InvariantCulture, $"{time * 1000:0} ms") : string.Create(CultureInfo.InvariantCulture, $"{time:0.00} s");

    private static string Age(double seconds) => seconds < 120 ? $"{seconds:0} s" : seconds < 7200 ? $"{Math.Floor(seconds / 60)} min" : seconds < 172_800 ? $"{Math.Floor(seconds / 3600)} h" : $"{Math.Floor(seconds / 86_400)} days";
}
