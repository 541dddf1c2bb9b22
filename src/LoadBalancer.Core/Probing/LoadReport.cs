using System.Buffers.Text;

namespace LoadBalancer.Core.Probing;

/// <summary>
/// What a destination says of its load: a response field as of ORCA, the open standard for such reports, in its text form,
/// <c>endpoint-load-metrics: TEXT named_metrics.rif=12, named_metrics.latency_ms=8.5</c>. Other metrics may stand beside these two, which
/// both must be there, once each.
/// </summary>
/// <param name="Outstanding">"rif": requests it works on, from all balancers; at most a million counts.</param>
/// <param name="LatencyMilliseconds">"latency_ms": its typical latency at about that load, best the median of recent ones; at most an hour counts.</param>
internal readonly record struct LoadReport(int Outstanding, double LatencyMilliseconds)
{
    private const int LengthMax = 4096, OutstandingMax = 1_000_000;
    private const double LatencyMax = 3_600_000;

    /// <summary>The name of the field, in lower case.</summary>
    internal static ReadOnlySpan<byte> FieldName => "endpoint-load-metrics"u8;

    /// <summary>Reads a value of the field. What a destination says is believed within bounds, but anything unclear is no report.</summary>
    // Hot path: per probe. 0 allocations.
    internal static bool TryParse(ReadOnlySpan<byte> value, out LoadReport report)
    {
        report = default;
        if (value.Length > LengthMax || !value.StartsWith("TEXT "u8)) return false;
        double outstanding = -1, latency = -1;
        foreach (Range range in value[5..].Split((byte)','))
        {
            ReadOnlySpan<byte> metric = value[5..][range].Trim(" \t"u8);
            int equals = metric.IndexOf((byte)'=');
            if (equals <= 0 || !TryNumber(metric[(equals + 1)..], out double number)) return false;
            ReadOnlySpan<byte> name = metric[..equals];
            if (name.SequenceEqual("named_metrics.rif"u8))
            {
                if (outstanding >= 0 || number < 0) return false;
                outstanding = Math.Min(number, OutstandingMax);
            }
            else if (name.SequenceEqual("named_metrics.latency_ms"u8))
            {
                if (latency >= 0 || number < 0) return false;
                latency = Math.Min(number, LatencyMax);
            }
        }
        report = new LoadReport((int)outstanding, latency);
        return outstanding >= 0 && latency >= 0;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out double number) =>
        Utf8Parser.TryParse(text, out number, out int consumed) && consumed == text.Length && double.IsFinite(number);
}
