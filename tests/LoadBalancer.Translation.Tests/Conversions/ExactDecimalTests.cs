using System.Numerics;
using System.Text;
using LoadBalancer.Translation.Conversions;

namespace LoadBalancer.Translation.Tests.Conversions;

/// <summary>Decimal numbers, beside whole numbers of any size.</summary>
public class ExactDecimalTests
{
    [TestCase("1", "1")]
    [TestCase("-0.50", "-0.5")]
    [TestCase("1e3", "1000")]
    [TestCase("12.5E-2", "0.125")]
    [TestCase("0", "0")]
    [TestCase("-0", "0")]
    [TestCase("0.0e9", "0")]
    [TestCase("123456789012345678901234567890123456", "123456789012345678901234567890123456")]
    [TestCase("1234567890123456789012345678901234567", null)]
    [TestCase("1e61", null)]
    [TestCase("1e99999999999", null)]
    [TestCase("01", null)]
    [TestCase("1.", null)]
    [TestCase(".5", null)]
    [TestCase("+1", null)]
    [TestCase("", null)]
    [TestCase("-", null)]
    [TestCase("1e", null)]
    [TestCase("1x", null)]
    public void TryParse(string text, string? expected) => Assert.That(ExactDecimal.TryParse(Encoding.ASCII.GetBytes(text), out ExactDecimal value) ? Text(value) : null, Is.EqualTo(expected));

    [TestCase("1250", "0.01", 2, "12.50")]
    [TestCase("5", "0.01", 0, "0.05")]
    [TestCase("-5", "0.001", 4, "-0.0050")]
    [TestCase("99999999999999999999", "99999999999999999999", 0, null)]
    public void TryMultiply(string a, string b, int places, string? expected) => Assert.That(ExactDecimal.TryMultiply(Of(a), Of(b), out ExactDecimal product) ? Text(product, places) : null, Is.EqualTo(expected));

    [TestCase("1", "3", null)]
    [TestCase("1", "8", "0.125")]
    [TestCase("90", "60", "1.5")]
    [TestCase("1", "0", null)]
    public void TryDivide(string a, string b, string? expected) => Assert.That(ExactDecimal.TryDivide(Of(a), Of(b), out ExactDecimal quotient) ? Text(quotient) : null, Is.EqualTo(expected));

    [TestCase("2.345", "1", 2, "2.34")]
    [TestCase("2.355", "1", 2, "2.36")]
    [TestCase("-2.345", "1", 2, "-2.34")]
    [TestCase("-2.3451", "1", 2, "-2.35")]
    [TestCase("100", "60", 2, "1.67")]
    [TestCase("1", "-3", 1, "-0.3")]
    [TestCase("0.5", "1", 0, "0")]
    [TestCase("1.5", "1", 0, "2")]
    public void TryDivideRounded(string a, string b, int places, string expected)
    {
        Assert.That(ExactDecimal.TryDivideRounded(Of(a), Of(b), places, out ExactDecimal quotient), Is.True);
        Assert.That(Text(quotient), Is.EqualTo(expected));
    }

    [Test]
    public void ProductsAreThoseOfWholeNumbers_AndQuotientsBringThemBack()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++)
        {
            long a = random.NextInt64(-1_000_000_000_000, 1_000_000_000_000), b = random.NextInt64(1, 1_000_000_000);
            int places = random.Next(0, 6);
            ExactDecimal factor = new ExactDecimal(b, -places), number = Of(a.ToString());
            Assert.That(ExactDecimal.TryMultiply(number, factor, out ExactDecimal product), Is.True);
            Assert.That(product.Mantissa * (Int128)BigInteger.Pow(10, Math.Max(product.Exponent + places, 0)), Is.EqualTo((Int128)a * b / (Int128)BigInteger.Pow(10, Math.Max(-product.Exponent - places, 0))), $"seed {seed}");
            Assert.That(ExactDecimal.TryDivide(product, factor, out ExactDecimal back), Is.True);
            Assert.That(back, Is.EqualTo(number), $"seed {seed}: {a} * {b}e-{places}");
            Assert.That(ExactDecimal.TryParse(Encoding.ASCII.GetBytes(Text(product, random.Next(0, 8))), out ExactDecimal read) ? read : default, Is.EqualTo(product), $"seed {seed}");
        }
    }

    private static ExactDecimal Of(string text) => ExactDecimal.TryParse(Encoding.ASCII.GetBytes(text), out ExactDecimal value) ? value : throw new FormatException(text);

    private static string Text(ExactDecimal value, int places = 0)
    {
        Span<byte> text = stackalloc byte[64];
        return value.TryFormat(text, places, out int length) ? Encoding.ASCII.GetString(text[..length]) : "too long";
    }
}
