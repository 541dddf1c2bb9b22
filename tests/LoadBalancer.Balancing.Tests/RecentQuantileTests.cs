using NUnit.Framework;

namespace LoadBalancer.Balancing.Tests;

public sealed class RecentQuantileTests
{
    [Test]
    public void Value_FewerSamplesThanNeeded_IsUnknown()
    {
        var quantile = new RecentQuantile(0.95);
        for (int i = 1; i < RecentQuantile.SamplesMin; i++)
        {
            quantile.Record(i);
            Assert.That(quantile.Value, Is.EqualTo(-1));
        }
        quantile.Record(1);
        Assert.That(quantile.Value, Is.Positive);
    }

    [TestCase(0.5)]
    [TestCase(0.9)]
    [TestCase(0.95)]
    [TestCase(0.99)]
    public void Value_ExponentialLatencies_IsTheQuantileWithinABucketAndChance(double part)
    {
        var quantile = new RecentQuantile(part);
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++) quantile.Record((long)(-Math.Log(1 - random.NextDouble()) * 1_000_000));
        double exact = -Math.Log(1 - part) * 1_000_000;
        Assert.That(quantile.Value, Is.InRange(0.85 * exact, 1.125 * 1.15 * exact));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(15)]
    [TestCase(16)]
    [TestCase(1_000)]
    [TestCase(123_456_789)]
    [TestCase(long.MaxValue)]
    [TestCase(-5)]
    public void Value_EqualLatencies_IsThatLatencyOrUpToAnEighthMore(long ticks)
    {
        var quantile = new RecentQuantile(0.95);
        for (int i = 0; i < RecentQuantile.SamplesMin; i++) quantile.Record(ticks);
        double expected = Math.Clamp(ticks, 0, 1L << 60);
        Assert.That(quantile.Value, Is.InRange(expected, expected * 1.125));
    }

    [Test]
    public void Value_LatenciesThatRose_FollowsWithinAFewThousand()
    {
        var quantile = new RecentQuantile(0.95);
        for (int i = 0; i < 100_000; i++) quantile.Record(1_000);
        Assert.That(quantile.Value, Is.InRange(1_000, 1_125));
        for (int i = 0; i < 2 * RecentQuantile.SamplesMax; i++) quantile.Record(50_000);
        Assert.That(quantile.Value, Is.InRange(50_000, 56_250));
        // Down it takes longer: five in a hundred of the old must be gone.
        for (int i = 0; i < 6 * RecentQuantile.SamplesMax; i++) quantile.Record(1_000);
        Assert.That(quantile.Value, Is.InRange(1_000, 1_125));
    }

    [Test]
    public void Record_SteadyState_AllocatesNothing()
    {
        var quantile = new RecentQuantile(0.95);
        for (int i = 0; i < 10_000; i++) quantile.Record(i);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++) quantile.Record(i);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
