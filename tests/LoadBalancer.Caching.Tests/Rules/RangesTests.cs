using System.Globalization;
using System.Text;
using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9110 §14.1.2, §14.2, §13.1.5, §15.3.7, §15.5.17.</summary>
public class RangesTests
{
    [TestCase("bytes=0-0", 10, "0-0")]
    [TestCase("bytes=0-9", 10, "0-9")]
    [TestCase("bytes=2-", 10, "2-9")]
    [TestCase("bytes=2-99", 10, "2-9")]
    [TestCase("BYTES=2-3", 10, "2-3")]
    [TestCase("bytes= 2-3 ", 10, "2-3")]
    [TestCase("bytes=-3", 10, "7-9")]
    [TestCase("bytes=-99", 10, "0-9")]
    [TestCase("bytes=9-9", 10, "9-9")]
    [TestCase("bytes=0-99999999999999999999999", 10, "0-9")]
    [TestCase("bytes=-99999999999999999999999", 10, "0-9")]
    [TestCase("bytes=10-", 10, "Unsatisfiable")]
    [TestCase("bytes=10-20", 10, "Unsatisfiable")]
    [TestCase("bytes=99999999999999999999999-", 10, "Unsatisfiable")]
    [TestCase("bytes=-0", 10, "Unsatisfiable")]
    [TestCase("bytes=0-", 0, "Unsatisfiable")]
    [TestCase("bytes=-5", 0, "Whole")]
    [TestCase("bytes=3-2", 10, "Whole", Description = "invalid: ignored")]
    [TestCase("bytes=-", 10, "Whole")]
    [TestCase("bytes=", 10, "Whole")]
    [TestCase("bytes", 10, "Whole")]
    [TestCase("bytes=a-b", 10, "Whole")]
    [TestCase("bytes=1-b", 10, "Whole")]
    [TestCase("bytes=+1-2", 10, "Whole")]
    [TestCase("bytes=1 - 2", 10, "Whole")]
    [TestCase("bytes=--2", 10, "Whole")]
    [TestCase("bytes=1-2-3", 10, "Whole")]
    [TestCase("bytes =1-2", 10, "Whole")]
    [TestCase("items=0-1", 10, "Whole", Description = "another unit")]
    [TestCase("bytes=0-1,3-4", 10, "Whole", Description = "several: the whole")]
    [TestCase("bytes=0-,0-,0-,0-", 10, "Whole")]
    [TestCase("bytes=0-1", -1, "Whole", Description = "the length is not known yet")]
    [TestCase("bytes=0-1|Range: bytes=2-3", 10, "Whole")]
    [TestCase("", 10, "Whole")]
    public void OneRangeOfBytesIsServed(string value, long length, string expected) => Assert.That(Decide($"Range: {value}", length), Is.EqualTo(expected));

    [TestCase("\"v1\"", "0-1")]
    [TestCase("\"v2\"", "Whole")]
    [TestCase("W/\"v1\"", "Whole", Description = "strong comparison")]
    [TestCase("v1", "Whole")]
    [TestCase("", "Whole")]
    [TestCase("\"v1\"|If-Range: \"v1\"", "Whole")]
    [TestCase("Sun, 06 Nov 1994 08:49:36 GMT", "0-1")]
    [TestCase("Sunday, 06-Nov-94 08:49:36 GMT", "0-1")]
    [TestCase("Sun, 06 Nov 1994 08:49:35 GMT", "Whole", Description = "exactly, not earlier or later")]
    [TestCase(Heads.NowText, "Whole")]
    public void IfRangeHasToHold(string value, string expected) => Assert.That(Decide($"Range: bytes=0-1|If-Range: {value}", 10), Is.EqualTo(expected));

    [Test]
    public void AWeakValidatorHoldsNoRange()
    {
        Assert.That(Decide("Range: bytes=0-1|If-Range: W/\"v1\"", 10, "ETag: W/\"v1\""), Is.EqualTo("Whole"));
        Assert.That(Decide($"Range: bytes=0-1|If-Range: {Heads.NowText}", 10, $"Last-Modified: {Heads.NowText}"), Is.EqualTo("Whole"), "§8.8.2.2: as old as its Date");
        Assert.That(Decide($"Range: bytes=0-1|If-Range: {Heads.NowText}", 10, ""), Is.EqualTo("Whole"));
    }

    [TestCase("HEAD", 200)]
    [TestCase("GET", 404)]
    [TestCase("GET", 203)]
    public void OnlyA200ToGetHasParts(string method, int status) => Assert.That(Decide("Range: bytes=0-1", 10, status: status, method: method), Is.EqualTo("Whole"));

    [Test]
    public void RandomRangesAreAlwaysWithinTheBody()
    {
        var random = new Random(5);
        string alphabet = "0123456789-, =b";
        for (int i = 0; i < 50_000; i++)
        {
            string text = "bytes=" + (random.Next(2) == 0 ? $"{random.Next(30)}-{random.Next(30)}" : new([.. Enumerable.Range(0, random.Next(8)).Select(_ => alphabet[random.Next(alphabet.Length)])]));
            long length = random.Next(25);
            RangeVerdict verdict = Ranges.Parse(Encoding.ASCII.GetBytes(text), length, out ByteRange range);
            if (verdict == RangeVerdict.Part) Assert.That(range.First >= 0 && range.First <= range.Last && range.Last < length, $"{text} of {length}: {range}");
            else Assert.That(range, Is.EqualTo(default(ByteRange)));
        }
    }

    private static string Decide(string requestLines, long length, string validators = "ETag: \"v1\"|Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT", int status = 200, string method = "GET")
    {
        StoredHead stored = new Heads($"Date: {Heads.NowText}|Cache-Control: max-age=60" + (validators.Length == 0 ? "" : "|" + validators), status: status).Stored();
        var request = new Heads(requestLines: requestLines, method: method);
        RangeVerdict verdict = Ranges.Decide(request.RequestFacts, request.Request, request.RequestBytes, stored, length, out ByteRange range);
        return verdict == RangeVerdict.Part ? string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Last}") : verdict.ToString();
    }
}
