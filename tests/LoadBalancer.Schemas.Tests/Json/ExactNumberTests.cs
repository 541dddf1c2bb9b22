using System.Globalization;
using System.Numerics;
using System.Text;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Tests.Json;

[TestFixture]
public sealed class ExactNumberTests
{
    private static ExactNumber Parse(string text) => ExactNumber.Parse(Encoding.ASCII.GetBytes(text));

    [TestCase("1", "1.0")]
    [TestCase("100", "1e2")]
    [TestCase("-0", "0.000")]
    [TestCase("0e5", "0")]
    [TestCase("12345678901234567890123", "1.2345678901234567890123E22")]
    public void Equals_SameValueWrittenTwoWays_IsTrue(string a, string b)
    {
        Assert.That(Parse(a), Is.EqualTo(Parse(b)));
        Assert.That(Parse(a).GetHashCode(), Is.EqualTo(Parse(b).GetHashCode()));
        Assert.That(Parse(a).CompareTo(Parse(b)), Is.Zero);
    }

    [TestCase("9007199254740993", "9007199254740992", 1)]
    [TestCase("0.1", "0.10000000000000001", -1)]
    [TestCase("-1e999999999", "1e-999999999", -1)]
    [TestCase("1e999999999", "9.9e999999998", 1)]
    public void CompareTo_BeyondDoubles_IsExact(string a, string b, int order) => Assert.That(Math.Sign(Parse(a).CompareTo(Parse(b))), Is.EqualTo(order));

    [TestCase("0.3", "0.1", true)]
    [TestCase("4.35", "0.01", true)]
    [TestCase("0.00751", "0.0001", false)]
    [TestCase("1e308", "0.123456789", false)]
    [TestCase("1e999999999", "2", true)]
    [TestCase("12391239123", "1e-8", true)]
    [TestCase("-7", "3.5", true)]
    [TestCase("1e-999999999", "1", false)]
    public void IsMultipleOf_Decimals_IsExact(string number, string divisor, bool expected) => Assert.That(Parse(number).IsMultipleOf(Parse(divisor)), Is.EqualTo(expected));

    [Test]
    public void CompareTo_RandomNumbers_AgreesWithBigIntegers()
    {
        const int Seed = 4711;
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        for (int i = 0; i < 20_000; i++)
        {
            (string Text, BigInteger Scaled) a = Make(random), b = Make(random);
            Assert.That(Math.Sign(Parse(a.Text).CompareTo(Parse(b.Text))), Is.EqualTo(a.Scaled.CompareTo(b.Scaled)), $"{a.Text} {b.Text}");
            if (b.Scaled.Sign > 0) Assert.That(Parse(a.Text).IsMultipleOf(Parse(b.Text)), Is.EqualTo((a.Scaled % b.Scaled).IsZero), $"{a.Text} {b.Text}");
        }
    }

    // A number and the same times 10^40.
    private static (string, BigInteger) Make(Random random)
    {
        int digits = random.Next(1, random.Next(2) == 0 ? 4 : 30);
        BigInteger mantissa = 0;
        for (int i = 0; i < digits; i++) mantissa = mantissa * 10 + random.Next(10);
        if (random.Next(2) == 0) mantissa = -mantissa;
        int exponent = random.Next(-12, 12);
        return ($"{mantissa.ToString(CultureInfo.InvariantCulture)}e{exponent}", mantissa * BigInteger.Pow(10, 40 + exponent));
    }
}
