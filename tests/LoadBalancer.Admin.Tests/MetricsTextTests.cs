using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using LoadBalancer.Admin.Metrics;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>The text exposition format of Prometheus.</summary>
public sealed class MetricsTextTests
{
    [TestCase("plain", "a=\"plain\"")]
    [TestCase("", "a=\"\"")]
    [TestCase("a\"b", "a=\"a\\\"b\"")]
    [TestCase(@"a\b", @"a=""a\\b""")]
    [TestCase("a\nb", @"a=""a\nb""")]
    [TestCase("a} 1\n# TYPE", @"a=""a} 1\n# TYPE""")]
    [TestCase("ä", "a=\"ä\"")]
    public void ALabelEndsNoLine(string value, string expected) => Assert.That(MetricsText.Labels(new KeyValuePair<string, object?>("a", value)), Is.EqualTo(expected));

    [TestCase("lb.tls.expiry", "lb_tls_expiry")]
    [TestCase("9a-b", "_a_b")]
    public void NamesHaveLettersDigitsAndUnderscores(string name, string expected) => Assert.That(MetricsText.NameOf(name), Is.EqualTo(expected));

    [TestCase(1, "1")]
    [TestCase(0.0005, "0.0005")]
    [TestCase(1e300, "1E+300")]
    [TestCase(double.NaN, "NaN")]
    [TestCase(double.PositiveInfinity, "+Inf")]
    [TestCase(double.NegativeInfinity, "-Inf")]
    public void NumbersAreAsGoReadsThem(double value, string expected) => Assert.That(Write(text => text.Sample("a", "", value)), Is.EqualTo($"a {expected}\n"));

    [Test]
    public void AHistogramCountsUpwards() => Assert.That(
        Write(text =>
        {
            text.Family("a", "histogram", "Two\nlines \\ here.");
            text.Histogram("a", "b=\"c\"", [0.1, 1], [2, 0, 3], 4.5);
        }),
        Is.EqualTo("""
            # HELP a Two\nlines \\ here.
            # TYPE a histogram
            a_bucket{b="c",le="0.1"} 2
            a_bucket{b="c",le="1"} 2
            a_bucket{b="c",le="+Inf"} 5
            a_sum{b="c"} 4.5
            a_count{b="c"} 5

            """));

    [Test]
    public void SeriesAreBounded()
    {
        var series = new MeterSeries("a", "counter", "");
        for (int i = 0; i < MeterSeries.SeriesMax + 5; i++) series.Add($"i=\"{i}\"", 1);
        string[] lines = Write(series.Write).Split('\n');
        Assert.That(lines, Has.Length.EqualTo(2 + MeterSeries.SeriesMax + 1 + 1).And.Member("a{otel_metric_overflow=\"true\"} 5"));
    }

    [Test]
    public void InstrumentsGetNamesByKindAndUnit()
    {
        using var meter = new Meter("test");
        Assert.Multiple(() =>
        {
            Assert.That(MeterCollector.FormOf(meter.CreateCounter<long>("lb.a.b")), Is.EqualTo(("lb_a_b_total", "counter")));
            Assert.That(MeterCollector.FormOf(meter.CreateObservableCounter("lb.a", () => 1L, "By")), Is.EqualTo(("lb_a_bytes_total", "counter")));
            Assert.That(MeterCollector.FormOf(meter.CreateHistogram<double>("lb.a", "s")), Is.EqualTo(("lb_a_seconds", "histogram")));
            Assert.That(MeterCollector.FormOf(meter.CreateObservableGauge("lb.a", () => 1L, "{x}")), Is.EqualTo(("lb_a", "gauge")));
        });
    }

    private static string Write(Action<MetricsText> write)
    {
        var output = new ArrayBufferWriter<byte>();
        var text = new MetricsText(output);
        write(text);
        text.Flush();
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
