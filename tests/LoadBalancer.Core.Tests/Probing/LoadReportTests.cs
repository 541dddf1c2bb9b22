using System.Text;
using LoadBalancer.Core.Probing;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.Probing;

public sealed class LoadReportTests
{
    [TestCase("TEXT named_metrics.rif=12, named_metrics.latency_ms=8.5", 12, 8.5)]
    [TestCase("TEXT named_metrics.latency_ms=8,named_metrics.rif=12", 12, 8)]
    [TestCase("TEXT cpu_utilization=0.3,\tnamed_metrics.rif=0 , mem_utilization=0.8, named_metrics.latency_ms=0", 0, 0)]
    [TestCase("TEXT named_metrics.rif=2.9, named_metrics.latency_ms=1e3", 2, 1000)]
    [TestCase("TEXT named_metrics.rif=1e300, named_metrics.latency_ms=1e300", 1_000_000, 3_600_000, Description = "believed within bounds")]
    public void TryParse_Report_IsRead(string value, int outstanding, double milliseconds)
    {
        Assert.That(LoadReport.TryParse(Encoding.ASCII.GetBytes(value), out LoadReport report));
        Assert.That(report, Is.EqualTo(new LoadReport(outstanding, milliseconds)));
    }

    [TestCase("")]
    [TestCase("TEXT ")]
    [TestCase("TEXT named_metrics.rif=12")]
    [TestCase("TEXT named_metrics.latency_ms=12")]
    [TestCase("named_metrics.rif=12, named_metrics.latency_ms=8.5")]
    [TestCase("JSON {\"named_metrics\": {\"rif\": 1}}")]
    [TestCase("text named_metrics.rif=1, named_metrics.latency_ms=1")]
    [TestCase("TEXT named_metrics.rif=1, named_metrics.rif=1, named_metrics.latency_ms=1", Description = "twice")]
    [TestCase("TEXT named_metrics.rif=-1, named_metrics.latency_ms=1")]
    [TestCase("TEXT named_metrics.rif=1, named_metrics.latency_ms=-1")]
    [TestCase("TEXT named_metrics.rif=NaN, named_metrics.latency_ms=1")]
    [TestCase("TEXT named_metrics.rif=1, named_metrics.latency_ms=Infinity")]
    [TestCase("TEXT named_metrics.rif=1x, named_metrics.latency_ms=1")]
    [TestCase("TEXT named_metrics.rif=, named_metrics.latency_ms=1")]
    [TestCase("TEXT =1, named_metrics.rif=1, named_metrics.latency_ms=1")]
    [TestCase("TEXT named_metrics.rif=1,, named_metrics.latency_ms=1")]
    public void TryParse_AnythingUnclear_IsNoReport(string value) =>
        Assert.That(LoadReport.TryParse(Encoding.ASCII.GetBytes(value), out _), Is.False);

    [Test]
    public void TryParse_TooLong_IsNoReport()
    {
        string value = "TEXT named_metrics.rif=1, named_metrics.latency_ms=1" + string.Concat(Enumerable.Repeat(", x=1", 1000));
        Assert.That(LoadReport.TryParse(Encoding.ASCII.GetBytes(value), out _), Is.False);
    }
}
