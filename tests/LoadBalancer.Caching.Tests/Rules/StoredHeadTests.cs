using System.Buffers;
using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Tests.Rules;

/// <summary>RFC 9111 §3.1: what is kept, how it goes to clients, and how it is read back.</summary>
public class StoredHeadTests
{
    private const string Rich = "Date: " + Heads.NowText + "|Cache-Control: max-age=60, private=\"X-Secret\", no-cache=\"Set-Cookie\"|Content-Type: text/plain|ETag: \"v1\"|Last-Modified: " + Heads.NowText
        + "|Vary: Accept-Encoding|Content-Encoding: gzip|Content-Language: en|X-Secret: s|Set-Cookie: a=b|Age: 5|Connection: X-Hop|X-Hop: 1|Keep-Alive: 3|Trailer: X-T|Surrogate-Key: a b  a"
        + "|Cache-Tag: c, d|Proxy-Authenticate: x|Upgrade: y|X-Frame-Options: DENY|Content-Location: /x|Expires: 0";

    [Test]
    public void WhatIsForOneHopOrNamedOrOursIsNotKept() =>
        Assert.That(Heads.Text(new Heads(Rich, "Accept-Encoding: gzip").Stored().Lines), Is.EqualTo("HTTP/1.1 200 Reason\r\nDate: " + Heads.NowText
            + "\r\nCache-Control: max-age=60, private=\"X-Secret\", no-cache=\"Set-Cookie\"\r\nETag: \"v1\"\r\nVary: Accept-Encoding\r\nX-Frame-Options: DENY\r\nContent-Location: /x\r\nExpires: 0\r\n"
            + "Content-Type: text/plain\r\nLast-Modified: " + Heads.NowText + "\r\nContent-Encoding: gzip\r\nContent-Language: en\r\n"));

    [Test]
    public void TheHeadOfAHitHasAgeAndLength()
    {
        StoredHead head = new Heads(Rich).Stored();
        byte[] buffer = new byte[head.WrittenBytesMax];
        Assert.That(Heads.Text(buffer.AsSpan(0, head.Write(buffer, 5, 17))), Is.EqualTo(Heads.Text(head.Lines) + "Age: 17\r\nContent-Length: 5\r\n"));
        Assert.That(Heads.Text(buffer.AsSpan(0, head.Write(buffer, -1, 17))), Is.EqualTo(Heads.Text(head.Lines) + "Age: 17\r\n"));
        StoredHead empty = new Heads("Cache-Control: max-age=60", status: 204).Stored();
        buffer = new byte[empty.WrittenBytesMax];
        Assert.That(Heads.Text(buffer.AsSpan(0, empty.Write(buffer, 0, 1))), Does.Not.Contain("Content-Length"), "RFC 9110 §8.6");
    }

    [Test]
    public void ANotModifiedHasWhatA200WouldHaveButTheContentsOwnFields()
    {
        StoredHead head = new Heads(Rich).Stored();
        byte[] buffer = new byte[head.WrittenBytesMax];
        Assert.That(Heads.Text(buffer.AsSpan(0, head.WriteNotModified(buffer, 17))), Is.EqualTo("HTTP/1.1 304 Not Modified\r\nDate: " + Heads.NowText
            + "\r\nCache-Control: max-age=60, private=\"X-Secret\", no-cache=\"Set-Cookie\"\r\nETag: \"v1\"\r\nVary: Accept-Encoding\r\nX-Frame-Options: DENY\r\nContent-Location: /x\r\nExpires: 0\r\nAge: 17\r\n"));
        StoredHead withoutTag = new Heads("Cache-Control: max-age=60|Last-Modified: " + Heads.NowText).Stored();
        Assert.That(Heads.Text(buffer.AsSpan(0, withoutTag.WriteNotModified(buffer, 0))), Does.Contain("Last-Modified"), "it is the only validator");
    }

    [Test]
    public void APartHasItsPlaceAndLength()
    {
        StoredHead head = new Heads(Rich).Stored();
        byte[] buffer = new byte[head.WrittenBytesMax];
        string text = Heads.Text(buffer.AsSpan(0, head.WritePartial(buffer, new(1, 3), 5, 17)));
        Assert.That(text, Does.StartWith("HTTP/1.1 206 Partial Content\r\nDate: ").And.EndWith("Content-Range: bytes 1-3/5\r\nContent-Length: 3\r\nAge: 17\r\n").And.Contain("ETag: \"v1\"").And.Contain("Content-Type"));
        byte[] longest = new byte[head.WrittenBytesMax];
        Assert.That(() => head.WritePartial(longest, new(long.MaxValue - 2, long.MaxValue - 1), long.MaxValue, int.MaxValue), Throws.Nothing);
        Assert.That(Heads.Text(longest.AsSpan(0, StoredHead.WriteUnsatisfiable(longest, 5))), Is.EqualTo("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nContent-Range: bytes */5\r\n"));
    }

    [TestCase("")]
    [TestCase("Date: yesterday|")]
    public void ADateIsAddedWhereThereIsNone(string date)
    {
        StoredHead head = new Heads(date + "Cache-Control: max-age=60").Stored();
        Assert.That(Heads.Text(head.Lines), Is.EqualTo($"HTTP/1.1 200 Reason\r\nDate: {Heads.NowText}\r\nCache-Control: max-age=60\r\n"));
        Assert.That(head.Date, Is.EqualTo(Heads.Now));
    }

    [Test]
    public void ValidatorsTypeTagsAndTimesAreKept()
    {
        StoredHead head = new Heads(Rich).Stored();
        Assert.That(Heads.Text(head.ETag), Is.EqualTo("\"v1\""));
        Assert.That(Heads.Text(head.ContentType), Is.EqualTo("text/plain"));
        Assert.That((head.LastModified, Heads.Text(head.LastModifiedValue), head.ContentLength, head.Status), Is.EqualTo((Heads.Now, Heads.NowText, 5L, 200)));
        Assert.That(head.Tags, Is.EquivalentTo(new[] { "a", "b", "c", "d" }));
        Assert.That(head.Times.AgeAt(Heads.Now), Is.EqualTo(5));
    }

    [Test]
    public void TagsAreToldOnWhereAskedFor() =>
        Assert.That(Heads.Text(new Heads("Cache-Control: max-age=60|Surrogate-Key: a|Cache-Tag: b", policy: new() { SendsTags = true }).Stored().Lines), Does.Contain("Surrogate-Key: a").And.Contain("Cache-Tag: b"));

    [Test]
    public void TooManyTagsAreNotStored()
    {
        Assert.That(Build(string.Join(' ', Enumerable.Range(0, 256))), Is.EqualTo(StoreVerdict.Storable));
        Assert.That(Build(string.Join(' ', Enumerable.Range(0, 257))), Is.EqualTo(StoreVerdict.TooManyTags));
        Assert.That(Build(new string('x', StoredHead.TagBytesMax + 1)), Is.EqualTo(StoreVerdict.TooManyTags));

        static StoreVerdict Build(string keys)
        {
            var heads = new Heads("Cache-Control: max-age=60|Surrogate-Key: " + keys);
            return StoredHeadBuilder.Build(heads.Request, heads.RequestBytes, heads.Response, heads.ResponseBytes, heads.ResponseFacts, heads.Policy, 0, 0, 0, out _);
        }
    }

    [Test]
    public void WhatTheCallerWritesItselfIsNotKept()
    {
        var heads = new Heads("Cache-Control: max-age=60|Strict-Transport-Security: max-age=1");
        StoredHeadBuilder.Build(heads.Request, heads.RequestBytes, heads.Response, heads.ResponseBytes, heads.ResponseFacts, heads.Policy, Heads.Now, Heads.Now, 1u << (int)KnownField.StrictTransportSecurity, out StoredHead? head);
        Assert.That(Heads.Text(head!.Lines), Does.Not.Contain("Strict"));
    }

    [Test]
    public void WhatIsWrittenIsReadBack()
    {
        foreach (StoredHead head in Samples())
        {
            byte[] bytes = Bytes(head);
            Assert.That(StoredHeadFormat.TryRead(bytes, out StoredHead? read), Is.True);
            Assert.That(Bytes(read!), Is.EqualTo(bytes));
            Assert.That((read!.Status, read.Times, read.Date, read.LastModified, read.ContentLength, Heads.Text(read.ETag), Heads.Text(read.ContentType)),
                Is.EqualTo((head.Status, head.Times, head.Date, head.LastModified, head.ContentLength, Heads.Text(head.ETag), Heads.Text(head.ContentType))));
            Assert.That(read.Tags, Is.EqualTo(head.Tags));
        }
    }

    [Test]
    public void NothingReadIsTrusted()
    {
        var random = new Random(11);
        foreach (StoredHead head in Samples())
        {
            byte[] bytes = Bytes(head);
            for (int length = 0; length < bytes.Length; length++) Assert.That(StoredHeadFormat.TryRead(bytes.AsSpan(0, length), out _), Is.False, $"cut at {length}");
            Assert.That(StoredHeadFormat.TryRead([.. bytes, 0], out _), Is.False, "one byte more");
            for (int i = 0; i < 5000; i++)
            {
                byte[] bad = [.. bytes];
                for (int n = random.Next(1, 4); n > 0; n--) bad[random.Next(3) == 0 ? random.Next(bad.Length) : random.Next(72)] = (byte)random.Next(256);
                if (!StoredHeadFormat.TryRead(bad, out StoredHead? read)) continue;
                // What is read can be used: no write leaves its buffer, no head has a line that it must not have.
                byte[] buffer = new byte[read!.WrittenBytesMax];
                int written = read.Write(buffer, long.MaxValue, int.MaxValue);
                read.WriteNotModified(buffer.AsSpan(), int.MaxValue);
                read.WritePartial(buffer, new(0, 1), long.MaxValue, int.MaxValue);
                Reuse.Decide(read.Times, new RequestCacheControl(), CachePolicy.Default, Heads.Now);
                var request = new Heads(requestLines: "Accept-Encoding: gzip");
                read.IsSelectedBy(request.Request, request.RequestBytes);
                Assert.That(written, Is.LessThanOrEqualTo(buffer.Length));
            }
        }
    }

    [TestCase("Age: 1")]
    [TestCase("Set-Cookie: a=b")]
    [TestCase("Content-Length: 7")]
    [TestCase("Connection: close")]
    [TestCase("Transfer-Encoding: chunked")]
    [TestCase(" folded")]
    public void AForgedLineIsRefused(string line)
    {
        StoredHead head = new Heads("Cache-Control: max-age=60|X-Pad: " + new string('x', line.Length)).Stored();
        byte[] good = Bytes(head);
        string text = Encoding.Latin1.GetString(good);
        string pad = "X-Pad: " + new string('x', line.Length);
        string forged = line + (line.Contains(':', StringComparison.Ordinal) ? "\r\nA: " : "") ;
        forged += new string('y', pad.Length - forged.Length);
        byte[] bad = Encoding.Latin1.GetBytes(text.Replace(pad, forged, StringComparison.Ordinal));
        Assert.That(bad, Has.Length.EqualTo(good.Length));
        Assert.That(StoredHeadFormat.TryRead(good, out _), Is.True);
        Assert.That(StoredHeadFormat.TryRead(bad, out _), Is.False);
    }

    internal static byte[] Bytes(StoredHead head)
    {
        var writer = new ArrayBufferWriter<byte>();
        StoredHeadFormat.Write(head, writer);
        return writer.WrittenSpan.ToArray();
    }

    private static StoredHead[] Samples() =>
    [
        new Heads(Rich, "Accept-Encoding: gzip").Stored(),
        new Heads("Cache-Control: max-age=60").Stored(),
        new Heads("Cache-Control: s-maxage=99999999999, no-cache|ETag: W/\"x\"|Vary: a, b, c", "a: 1|b:").Stored(),
        new Heads("Cache-Control: max-age=1, must-revalidate|Age: 9999999999", status: 404).Stored(),
        new Heads("Expires: Fri, 31 Dec 9999 23:59:59 GMT", status: 204).Stored(),
    ];
}
