using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Tests;

public class PartsTests
{
    [Test]
    public void PortableMath_AnyMagnitude_IsNearTheLibrary()
    {
        for (double x = 1e-12; x < 1e12; x *= 1.0137) Assert.That(PortableMath.Log(x), Is.EqualTo(Math.Log(x)).Within(1e-12));
        for (double x = -50; x < 50; x += 0.0137) Assert.That(PortableMath.Exp(x), Is.EqualTo(Math.Exp(x)).Within(1e-10).Percent);
    }

    private static readonly Distribution[] Laws =
        [new Constant(3), new Exponential(3), new Lognormal(3, 1), new Bimodal(1, 100, 0.02), new BoundedPareto(1.5, 1, 1000)];

    [TestCaseSource(nameof(Laws))]
    public void Next_ManyDraws_HaveTheMean(Distribution law)
    {
        var random = new PickRandom(7);
        double sum = 0;
        for (int i = 0; i < 1_000_000; i++) sum += law.Next(random);
        Assert.That(sum / 1e6, Is.EqualTo(law.Mean).Within(1.5).Percent);
    }

    [Test]
    public void Histogram_Quantiles_AreWithinTheResolution()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 1_000_000; i++) histogram.Add(i);
        foreach (double part in new[] { 0.001, 0.5, 0.9, 0.99, 0.999, 1 })
            Assert.That(histogram.Quantile(part), Is.EqualTo(part * 1e6).Within(0.2).Percent);
        Assert.That(histogram.Mean, Is.EqualTo(500_000.5));
        Assert.That(histogram.Max, Is.EqualTo(1_000_000));
    }

    [Test]
    public void Histogram_LargestValue_HasABucket()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(long.MaxValue);
        histogram.Add(0);
        Assert.That((histogram.Quantile(0.5), histogram.Quantile(1)), Is.EqualTo((0L, long.MaxValue)));
    }

    [Test]
    public void EventTree_RandomChanges_AlwaysHasTheFirst()
    {
        var random = new Random(5);
        long[] times = [.. Enumerable.Repeat(long.MaxValue, 13)];
        var tree = new EventTree(times.Length);
        for (int i = 0; i < 10_000; i++)
        {
            int source = random.Next(times.Length);
            tree.Set(source, times[source] = random.Next(10) == 0 ? long.MaxValue : random.Next(100));
            Assert.That(tree.FirstTime, Is.EqualTo(times.Min()));
            Assert.That(times[tree.First], Is.EqualTo(times.Min()));
        }
    }
}
