namespace LoadBalancer.Balancing.Tests;

public class ApproximationTests
{
    [Test]
    public void Log_AnyMagnitude_IsNear()
    {
        for (double x = 1e-6; x < 1e9; x *= 1.00137)
            Assert.That(Approximation.Log((float)x), Is.EqualTo(Math.Log((float)x)).Within(1e-6 * Math.Max(1, Math.Abs(Math.Log(x)))), $"ln {x}");
    }

    [Test]
    public void Log_WholeNumbers_IsNearAndRises()
    {
        for (int x = 1; x < 3000; x++)
        {
            Assert.That(Approximation.Log(x), Is.EqualTo(Math.Log(x)).Within(1e-5));
            Assert.That(Approximation.Log(x + 1), Is.GreaterThan(Approximation.Log(x)));
        }
        Assert.That(Approximation.Log(1), Is.Zero);
    }

    [Test]
    public void ExpOfMinus_AnyMagnitude_IsNear()
    {
        for (double x = 0; x < 86; x += 0.0137) Assert.That(Approximation.ExpOfMinus((float)x), Is.EqualTo(Math.Exp(-(float)x)).Within(0.001).Percent, $"e^-{x}");
        Assert.That(Approximation.ExpOfMinus(0), Is.EqualTo(1));
        Assert.That(Approximation.ExpOfMinus(float.PositiveInfinity), Is.Zero);
        Assert.That(Approximation.ExpOfMinus(1e30f), Is.Zero);
    }

    [Test]
    public void IsLogBelow_AnyNumber_NeverContradictsTheLogarithm()
    {
        for (double x = 1e-3; x < 1e6; x *= 1.01)
            for (float bound = -5; bound < 12; bound += 0.37f)
                if (Approximation.IsLogBelow((float)x, bound)) Assert.That(Math.Log(x), Is.LessThan(bound));
    }
}
