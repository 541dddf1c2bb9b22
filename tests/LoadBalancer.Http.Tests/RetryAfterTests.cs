namespace LoadBalancer.Http.Tests;

public class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(1994, 11, 6, 8, 49, 0, TimeSpan.Zero);

    [TestCase("0", 0)]
    [TestCase("1", 1)]
    [TestCase("0120", 120)]
    [TestCase("300", 300)]
    [TestCase("301", 300)]
    [TestCase("99999999999999999999999999999999999999999999", 300)]
    [TestCase("", 0)]
    [TestCase("-1", 0)]
    [TestCase("+1", 0)]
    [TestCase("1.5", 0)]
    [TestCase("1, 2", 0)]
    [TestCase("0x10", 0)]
    [TestCase("soon", 0)]
    // RFC 9110 §5.6.7, its three examples.
    [TestCase("Sun, 06 Nov 1994 08:49:37 GMT", 37)]
    [TestCase("Sunday, 06-Nov-94 08:49:37 GMT", 37)]
    [TestCase("Sun Nov  6 08:49:37 1994", 37)]
    [TestCase("Wed Nov 16 08:49:37 1994", 300)]
    [TestCase("Sun, 06 Nov 1994 08:48:59 GMT", 0)]
    [TestCase("Fri, 31 Dec 9999 23:59:59 GMT", 300)]
    [TestCase("Mon, 01 Jan 0001 00:00:00 GMT", 0)]
    [TestCase("Mon, 06 Nov 1994 08:49:37 GMT", 0, Description = "was a Sunday")]
    [TestCase("Sun, 06 Nov 1994 08:49:37 CET", 0)]
    [TestCase("Sun, 06 Nov 1994 08:49:37 GMT and more and more and more", 0)]
    [TestCase("Sun, 06 Nov 1994 24:49:37 GMT", 0)]
    [TestCase("S\u00fcn, 06 Nov 1994 08:49:37 GMT", 0)]
    public void SecondsOf_Table(string value, int expected) => Assert.That(RetryAfter.SecondsOf(Wire.Bytes(value), Now, 300), Is.EqualTo(expected));

    [Test]
    public void SecondsOf_AnyBytes_StaysInItsRange()
    {
        var random = new Random(5);
        byte[] sample = Wire.Bytes("Sun, 06 Nov 1994 08:49:37 GMT");
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. sample.AsSpan(0, random.Next(sample.Length + 1))];
            for (int change = random.Next(3); change > 0 && bytes.Length > 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Assert.That(RetryAfter.SecondsOf(bytes, Now, 300), Is.InRange(0, 300));
        }
    }
}
