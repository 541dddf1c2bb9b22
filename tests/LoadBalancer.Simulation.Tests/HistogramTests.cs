using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Simulation.Tests;

public sealed class HistogramTests
{
    [Test]
    public void Quantile_AnyMagnitude_IsWithinTheWidthOfABucket()
    {
        for (long value = 1000; value < long.MaxValue / 3; value = value * 3 + 1)
        {
            var histogram = new LatencyHistogram();
            histogram.Record(value);
            histogram.Record(value + value);
            Assert.That(histogram.Quantile(0.5), Is.EqualTo((double)value).Within(0.4).Percent, $"{value}");
        }
    }

    [Test]
    public void Quantile_ManyValues_FollowsTheirRank()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 100_000; i++) histogram.Record(i);
        Assert.That(histogram.Quantile(0.9), Is.EqualTo(90_000).Within(0.2).Percent);
        Assert.That(histogram.Quantile(0.999), Is.EqualTo(99_900).Within(0.2).Percent);
        Assert.That(histogram.Quantile(1), Is.EqualTo(100_000));
        Assert.That(histogram.Mean, Is.EqualTo(50_000.5));
    }

    [Test]
    public void Add_TwoHistograms_CountsBoth()
    {
        LatencyHistogram a = new(), b = new();
        a.Record(10);
        b.Record(1000);
        a.Add(b);
        Assert.That((a.Count, a.Max, a.Mean), Is.EqualTo((2L, 1000L, 505.0)));
    }

    [Test]
    public void Estimate_KnownValues_HasStudentsInterval()
    {
        Estimate estimate = Estimate.Of([1, 2, 3, 4, 5]);
        Assert.That(estimate.Mean, Is.EqualTo(3));
        Assert.That(estimate.HalfWidth, Is.EqualTo(2.776 * Math.Sqrt(2.5 / 5)).Within(1e-12));
    }

    [Test]
    public void Estimate_OneValue_HasNoInterval() => Assert.That(Estimate.Of([1]).HalfWidth, Is.NaN);
}
