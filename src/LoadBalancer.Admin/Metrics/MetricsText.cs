using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoadBalancer.Admin.Metrics;

/// <summary>Writes metrics as Prometheus reads them (text exposition format 0.0.4).</summary>
internal sealed class MetricsText(IBufferWriter<byte> output)
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>Begins a family, whose samples follow.</summary>
    internal void Family(string name, string type, string help) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", @"\\", StringComparison.Ordinal).ReplaceLineEndings(@"\n")).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    /// <summary>One sample.</summary>
    /// <param name="name">The family's, or the same with "_bucket", "_sum" or "_count".</param>
    /// <param name="labels">From <see cref="Labels"/>.</param>
    /// <param name="value">The value.</param>
    internal void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0) _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>A histogram's samples.</summary>
    /// <param name="name">The family's.</param>
    /// <param name="labels">From <see cref="Labels"/>.</param>
    /// <param name="bounds">Upper bounds.</param>
    /// <param name="counts">How many lie between each bound and the one before; the last above all.</param>
    /// <param name="sum">All values together.</param>
    internal void Histogram(string name, string labels, IReadOnlyList<double> bounds, IReadOnlyList<long> counts, double sum)
    {
        string before = labels.Length > 0 ? $"{labels}," : "";
        long total = 0;
        for (int i = 0; i < counts.Count; i++)
        {
            total += counts[i];
            Sample($"{name}_bucket", $"{before}le=\"{(i < bounds.Count ? Number(bounds[i]) : "+Inf")}\"", total);
        }
        Sample($"{name}_sum", labels, sum);
        Sample($"{name}_count", labels, total);
    }

    /// <summary>Sends what was written.</summary>
    internal void Flush()
    {
        Encoding.UTF8.GetBytes(_text.ToString(), output);
        _text.Clear();
    }

    /// <summary>Labels in their order, as they stand between braces.</summary>
    internal static string Labels(params ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (labels.IsEmpty) return "";
        var text = new StringBuilder();
        foreach ((string name, object? value) in labels)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(NameOf(name)).Append("=\"");
            foreach (char c in Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
                _ = c switch { '\\' => text.Append(@"\\"), '"' => text.Append("\\\""), '\n' => text.Append(@"\n"), _ => text.Append(c) };
            text.Append('"');
        }
        return text.ToString();
    }

    /// <summary>A name with "_" for what may not stand in one.</summary>
    internal static string NameOf(string name) => string.Create(name.Length, name, static (characters, from) =>
    {
        for (int i = 0; i < characters.Length; i++) characters[i] = char.IsAsciiLetter(from[i]) || (i > 0 && char.IsAsciiDigit(from[i])) ? from[i] : '_';
    });

    private static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
