using System.Globalization;
using System.Text;
using LoadBalancer.Translation.Conversions;

namespace LoadBalancer.Translation.Tests.Conversions;

/// <summary>RFC 3339 §5.6, §5.7.</summary>
public class Rfc3339Tests
{
    [TestCase("1970-01-01T00:00:00Z", 0, 0)]
    [TestCase("1970-01-01t00:00:00.5z", 0, 500_000_000)]
    [TestCase("1985-04-12T23:20:50.52Z", 482196050, 520_000_000)]
    [TestCase("1996-12-19T16:39:57-08:00", 851042397, 0)]
    [TestCase("1937-01-01T12:00:27.87+00:20", -1041337173, 870_000_000)]
    [TestCase("2024-02-29T00:00:00.1234567890Z", 1709164800, 123_456_789)]
    [TestCase("0001-01-01T00:00:00Z", -62135596800, 0)]
    public void TryParse_ATime(string text, long seconds, int nanos)
    {
        Assert.That(Rfc3339.TryParse(Encoding.ASCII.GetBytes(text), isDate: false, out long s, out int n), Is.True);
        Assert.That((s, n), Is.EqualTo((seconds, nanos)));
    }

    [TestCase("1990-12-31T23:59:60Z")]
    [TestCase("2023-02-29T00:00:00Z")]
    [TestCase("2023-13-01T00:00:00Z")]
    [TestCase("2023-01-01T24:00:00Z")]
    [TestCase("2023-01-01 00:00:00Z")]
    [TestCase("2023-01-01T00:00:00")]
    [TestCase("2023-01-01T00:00:00.Z")]
    [TestCase("2023-01-01T00:00:00.0000000001Z")]
    [TestCase("2023-01-01T00:00:00+1:00")]
    [TestCase("2023-01-01T00:00:00+24:00")]
    [TestCase("0000-01-01T00:00:00Z")]
    [TestCase("0001-01-01T00:00:00+01:00")]
    [TestCase("2023-01-01T00:00:00Zx")]
    [TestCase("2023-01-01")]
    [TestCase("")]
    public void TryParse_WhatIsNone(string text) => Assert.That(Rfc3339.TryParse(Encoding.ASCII.GetBytes(text), isDate: false, out _, out _), Is.False);

    [Test]
    public void WhatIsWritten_IsReadAsIt_AndAsTheFrameworkReadsIt()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        Span<byte> text = stackalloc byte[64];
        for (int i = 0; i < 20_000; i++)
        {
            long seconds = random.NextInt64(-62_135_596_800, 253_402_300_800);
            int nanos = random.Next(3) switch { 0 => 0, 1 => random.Next(1000) * 1_000_000, _ => random.Next(10_000_000) * 100 };
            int length = Rfc3339.Write(text, seconds, nanos);
            Assert.That(Rfc3339.TryParse(text[..length], isDate: false, out long s, out int n), Is.True);
            Assert.That((s, n), Is.EqualTo((seconds, nanos)), $"seed {seed}");
            DateTimeOffset date = DateTimeOffset.Parse(Encoding.ASCII.GetString(text[..length]), CultureInfo.InvariantCulture);
            Assert.That(date.UtcTicks, Is.EqualTo(DateTimeOffset.FromUnixTimeSeconds(seconds).Ticks + nanos / 100), $"seed {seed}");
        }
    }
}
