using LoadBalancer.Simulation.Chance;

namespace LoadBalancer.Simulation.Tests;

public sealed class ChanceTests
{
    private const double Ms = 1e6;

    private static readonly TestCaseData[] s_laws =
    [
        new(new Constant(10 * Ms)) { TestName = "{m}(constant)" },
        new(new Exponential(10 * Ms)) { TestName = "{m}(exponential)" },
        new(new Lognormal(10 * Ms, 1)) { TestName = "{m}(lognormal)" },
        new(new BoundedPareto(1.5, Ms, 1000 * Ms)) { TestName = "{m}(pareto)" },
        new(new BoundedPareto(1, Ms, 1000 * Ms)) { TestName = "{m}(pareto, alpha 1)" },
        new(new Bimodal(5 * Ms, 100 * Ms, 0.02)) { TestName = "{m}(bimodal)" },
        new(new Empirical([Ms, 2 * Ms, 6 * Ms])) { TestName = "{m}(empirical)" },
    ];

    [Test]
    public void Next_KnownState_IsTheReferenceSequence()
    {
        // From the authors' C code, xoshiro256starstar.c, with state 1, 2, 3, 4.
        var random = new SimRandom(1, 2, 3, 4);
        Assert.That((ulong[])[random.Next(), random.Next(), random.Next(), random.Next()], Is.EqualTo(new ulong[] { 11520, 0, 1509978240, 1215971899390074240 }));
    }

    [Test]
    public void Next_SeedOne_IsTheSequenceItAlwaysWas() => // a change here changes every result hash
        Assert.That(new SimRandom(1, ChanceStream.Arrivals).Next(), Is.EqualTo(17115887238337420277));

    [Test]
    public void Next_OtherStreamIndexOrSeed_DrawsOtherNumbers()
    {
        ulong[] firsts =
        [
            new SimRandom(1, ChanceStream.Arrivals).Next(), new SimRandom(1, ChanceStream.Service).Next(),
            new SimRandom(1, ChanceStream.Arrivals, 1).Next(), new SimRandom(2, ChanceStream.Arrivals).Next(),
        ];
        Assert.That(firsts, Is.Unique);
    }

    [TestCaseSource(nameof(s_laws))]
    public void Next_ManyDraws_HaveTheMeanOfTheLaw(object law)
    {
        var distribution = (Distribution)law;
        var random = new SimRandom(7, ChanceStream.Service);
        double sum = 0;
        for (int i = 0; i < 300_000; i++) sum += distribution.Next(random);
        Assert.That(sum / 300_000, Is.EqualTo(distribution.Mean).Within(2).Percent);
    }

    [Test]
    public void NextNormal_ManyDraws_HaveMeanZeroAndVarianceOne()
    {
        var random = new SimRandom(7, ChanceStream.Service);
        double sum = 0, squares = 0;
        for (int i = 0; i < 300_000; i++)
        {
            double x = random.NextNormal();
            sum += x;
            squares += x * x;
        }
        Assert.That(sum / 300_000, Is.EqualTo(0).Within(0.01));
        Assert.That(squares / 300_000, Is.EqualTo(1).Within(0.01));
    }

    [Test]
    public void LogAndExp_WideRange_AgreeWithTheLibrary()
    {
        var random = new SimRandom(3, ChanceStream.Service);
        for (int i = 0; i < 100_000; i++)
        {
            double x = Math.Pow(10, random.NextDouble() * 60 - 30), y = random.NextDouble() * 1000 - 500;
            Assert.That(PortableMath.Log(x), Is.EqualTo(Math.Log(x)).Within(4).Ulps);
            Assert.That(PortableMath.Exp(y), Is.EqualTo(Math.Exp(y)).Within(4).Ulps);
        }
    }

    [Test]
    public void BurstyArrivals_LongRun_HaveTheMeanRate_AndVaryMoreThanPoisson()
    {
        var process = new BurstyArrivals(rate: 1e-6, factor: 10, onMean: 1e8, offMean: 9e8);
        var random = new SimRandom(5, ChanceStream.Arrivals);
        double now = 0, previous = 0, squares = 0;
        const int Count = 1_000_000;
        for (int i = 0; i < Count; i++, previous = now)
        {
            now = process.NextAfter(now, random);
            squares += (now - previous) * (now - previous);
        }
        double mean = now / Count;
        Assert.That(mean, Is.EqualTo(1e6).Within(5).Percent);
        Assert.That(squares / Count / (mean * mean) - 1, Is.GreaterThan(1.5), "squared coefficient of variation; 1 for Poisson");
    }
}
