using LoadBalancer.Caching.Rules;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §3.2, §4.3.1, §4.3.4, §4.3.5.</summary>
public class RevalidationTests
{
    private const string Stored = "Date: Sun, 06 Nov 1994 07:49:37 GMT|Cache-Control: max-age=60|ETag: \"v1\"|Last-Modified: Sun, 06 Nov 1994 06:49:37 GMT|Content-Type: text/plain|Content-Encoding: gzip|X-A: 1|X-A: 2|X-B: 3|Surrogate-Key: k";

    [Test]
    public void ValidatorsOfAllCandidatesAreSent()
    {
        Assert.That(Conditions(Stored), Is.EqualTo("If-None-Match: \"v1\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 06:49:37 GMT\r\n"));
        Assert.That(Conditions("ETag: \"a\"", "ETag: W/\"b\"", "ETag: \"c\"|Last-Modified: " + Heads.NowText), Is.EqualTo("If-None-Match: \"a\", W/\"b\", \"c\"\r\n"), "dates of the first only");
        Assert.That(Conditions("Last-Modified: " + Heads.NowText), Is.EqualTo($"If-Modified-Since: {Heads.NowText}\r\n"));
        Assert.That(Conditions("Cache-Control: max-age=60"), Is.Empty);
    }

    [Test]
    public void TheLinesAreBounded()
    {
        string many = Conditions([.. Enumerable.Range(0, 20).Select(i => $"ETag: \"{i}\"|Last-Modified: {Heads.NowText}")]);
        Assert.That(many, Does.Contain("\"7\"").And.Not.Contain("\"8\"").And.EndWith($"If-Modified-Since: {Heads.NowText}\r\n"));
        string huge = Conditions("ETag: \"" + new string('x', 5000) + "\"|Last-Modified: " + Heads.NowText, "ETag: \"a\"");
        Assert.That(huge, Is.EqualTo($"If-None-Match: \"a\"\r\nIf-Modified-Since: {Heads.NowText}\r\n"));
        for (int length = 1860; length < 1930; length++) Assert.That(() => Conditions("ETag: \"" + new string('x', length) + "\"|Last-Modified: " + Heads.NowText, "ETag: \"a\""), Throws.Nothing);
    }

    [TestCase("ETag: \"v1\"", true)]
    [TestCase("ETag: W/\"v1\"", true)]
    [TestCase("ETag: \"v2\"", false)]
    [TestCase("ETag: \"v2\"|Last-Modified: Sun, 06 Nov 1994 06:49:37 GMT", false)]
    [TestCase("Last-Modified: Sun, 06 Nov 1994 06:49:37 GMT", true)]
    [TestCase("Last-Modified: " + Heads.NowText, false)]
    [TestCase("ETag: v1", true, Description = "no tag: as if there were none")]
    [TestCase("X: y", true)]
    public void A304IsAboutWhatItsValidatorsName(string lines, bool expected)
    {
        var update = new Heads(lines, status: 304);
        Assert.That(Revalidation.IsAbout(new Heads(Stored).Stored(), update.Response, update.ResponseBytes, wasAlone: true), Is.EqualTo(expected));
    }

    [Test]
    public void A304WithoutValidatorsAfterSeveralIsAboutNone()
    {
        var update = new Heads("X: y", status: 304);
        Assert.That(Revalidation.IsAbout(new Heads(Stored).Stored(), update.Response, update.ResponseBytes, wasAlone: false), Is.False);
        var strong = new Heads("ETag: \"v1\"", status: 304);
        Assert.That(Revalidation.IsAbout(new Heads("Cache-Control: max-age=9|ETag: W/\"v1\"").Stored(), strong.Response, strong.ResponseBytes, wasAlone: true), Is.False, "strong is compared strongly");
    }

    [Test]
    public void A304UpdatesTheFieldsThatItHas()
    {
        StoredHead merged = Merge(Stored, $"Date: {Heads.NowText}|Cache-Control: max-age=600|X-A: 9|X-New: n|Age: 7|Content-Type: text/html|Content-Encoding: br|Content-Range: bytes 0-1/2|Set-Cookie: a=b"
            + "|Connection: X-Hop|X-Hop: 1|ETag: \"v1\"", out StoreVerdict verdict);
        Assert.That(verdict, Is.EqualTo(StoreVerdict.Storable));
        Assert.That(Heads.Text(merged.Lines), Is.EqualTo("HTTP/1.1 200 Reason\r\nX-B: 3\r\nDate: " + Heads.NowText + "\r\nCache-Control: max-age=600\r\nX-A: 9\r\nX-New: n\r\nETag: \"v1\"\r\n"
            + "Last-Modified: Sun, 06 Nov 1994 06:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"));
        Assert.That((merged.Times.AgeAt(Heads.Now), merged.Times.FreshUntil - Heads.Now, merged.ContentLength), Is.EqualTo((7, 593_000L, 5L)));
        Assert.That(merged.Tags, Is.EqualTo(new[] { "k" }), "tags are kept where it has none");
        Assert.That(merged.Status, Is.EqualTo(200));
    }

    [Test]
    public void WithoutDateItIsOfNow()
    {
        StoredHead merged = Merge(Stored, "ETag: \"v1\"", out _);
        Assert.That((merged.Date, merged.Times.AgeAt(Heads.Now), merged.Times.FreshUntil), Is.EqualTo((Heads.Now, 0, Heads.Now + 60_000)));
    }

    [TestCase("Cache-Control: no-store", StoreVerdict.NoStore)]
    [TestCase("Cache-Control: private", StoreVerdict.Private)]
    [TestCase("Vary: *", StoreVerdict.VaryAny)]
    public void A304CanForbidWhatTheFirstAnswerAllowed(string lines, StoreVerdict expected)
    {
        Merge(Stored, lines, out StoreVerdict verdict);
        Assert.That(verdict, Is.EqualTo(expected));
    }

    [Test]
    public void NewTagsAndANewVaryReplaceTheOld()
    {
        StoredHead merged = Merge(Stored + "|Vary: Foo", "Surrogate-Key: l|Vary: Bar", out _, "Foo: 1|Bar: 2");
        Assert.That(merged.Tags, Is.EqualTo(new[] { "l" }));
        var same = new Heads(requestLines: "Bar: 2");
        var other = new Heads(requestLines: "Foo: 1");
        Assert.That((merged.IsSelectedBy(same.Request, same.RequestBytes), merged.IsSelectedBy(other.Request, other.RequestBytes)), Is.EqualTo((true, false)));
    }

    [Test]
    public void ManyRevalidationsDoNotGrowTheHead()
    {
        StoredHead head = new Heads(Stored).Stored();
        int size = head.SizeBytes;
        var update = new Heads("Cache-Control: max-age=60|X-A: 9|ETag: \"v1\"", status: 304);
        for (int i = 0; i < 20; i++)
        {
            Revalidation.Merge(head, update.Request, update.RequestBytes, update.RequestFacts, update.Response, update.ResponseBytes, update.Policy, Heads.Now, Heads.Now, 0, out StoredHead? next);
            head = next!;
        }
        Assert.That(head.SizeBytes, Is.LessThanOrEqualTo(size + 64));
    }

    [TestCase("ETag: \"v1\"", "Content-Length: 5", true)]
    [TestCase("", "Content-Length: 5", true)]
    [TestCase("", "Transfer-Encoding: chunked", true)]
    [TestCase("ETag: \"v2\"", "Content-Length: 5", false)]
    [TestCase("ETag: W/\"v1\"", "Content-Length: 5", false)]
    [TestCase("Last-Modified: Sun, 06 Nov 1994 06:49:37 GMT", "Content-Length: 5", true)]
    [TestCase("Last-Modified: " + Heads.NowText, "Content-Length: 5", false)]
    [TestCase("ETag: \"v1\"", "Content-Length: 6", false)]
    public void AnAnswerToHeadConfirmsOrNot(string lines, string framing, bool expected)
    {
        var update = new Heads(lines, method: "HEAD", framing: framing);
        Assert.That(Revalidation.IsConfirmedByHead(new Heads(Stored).Stored(), update.Response, update.ResponseBytes, 5), Is.EqualTo(expected));
    }

    [Test]
    public void AnAnswerToHeadFreshens()
    {
        var update = new Heads("Cache-Control: max-age=900", method: "HEAD");
        StoreVerdict verdict = Revalidation.Merge(new Heads(Stored).Stored(), update.Request, update.RequestBytes, update.RequestFacts, update.Response, update.ResponseBytes, update.Policy, Heads.Now, Heads.Now, 0, out StoredHead? head);
        Assert.That((verdict, head!.Times.FreshUntil), Is.EqualTo((StoreVerdict.Storable, Heads.Now + 900_000)));
    }

    private static StoredHead Merge(string stored, string update, out StoreVerdict verdict, string requestLines = "")
    {
        StoredHead head = new Heads(stored, requestLines).Stored(Heads.Now - 3_600_000, Heads.Now - 3_600_000);
        var heads = new Heads(update, requestLines, status: 304, framing: "Content-Length: 77");
        verdict = Revalidation.Merge(head, heads.Request, heads.RequestBytes, heads.RequestFacts, heads.Response, heads.ResponseBytes, heads.Policy, Heads.Now, Heads.Now, 0, out StoredHead? merged);
        return merged!;
    }

    private static string Conditions(params string[] stored)
    {
        byte[] buffer = new byte[ConditionWriter.BytesMax];
        var writer = new ConditionWriter(buffer);
        foreach (string lines in stored) writer.Add(new Heads(lines.Contains("Cache-Control", StringComparison.Ordinal) ? lines : lines + "|Cache-Control: max-age=60").Stored());
        return Heads.Text(buffer.AsSpan(0, writer.Finish()));
    }
}
