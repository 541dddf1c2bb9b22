using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §5, §7.7, §11.6, §13.2.1, §14, §15: what is meant for the ends passes as it is.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class EndToEndTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Test]
    public async Task RequestFieldsPassUnchangedAndInOrder()
    {
        const string Fields = "x-UNKNOWN:1\r\nAccept: a/b;q=0.5\r\nX-List: 2\r\nAuthorization: Digest username=\"a, b\"\r\nX-Unknown: \t three \t\r\nX-List: 1\r\nReferer: http://h/x?y\r\n"
            + "If-Match: \"a\", W/\"b\"\r\nIf-None-Match: *\r\nIf-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT\r\nIf-Unmodified-Since: nonsense\r\nIf-Range: \"a\"\r\nRange: unknown=1-2,3\r\n"
            + "Cache-Control: no-transform\r\nAccept-Encoding: gzip;q=1.0\r\nX-Empty:\r\nX_Under.score!: x\r\nUser-Agent: a/1 (b)\r\nPragma: x\r\nCookie: a=b; c=\"d\"\r\n";
        Assert.That(await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\n{Fields}\r\n"), Does.StartWith("GET / HTTP/1.1\r\nHost: h\r\n" + Fields + "X-Forwarded-For"));
    }

    [Test]
    public async Task ResponseFieldsPassUnchangedAndInOrder()
    {
        const string Head = "HTTP/1.1 206 Partial Content\r\nDate: Sat, 29 Oct 1994 19:43:31 GMT\r\nSet-Cookie: a=1, b\r\nserver: x/1\r\nAllow: GET, FOO\r\nWWW-Authenticate: Basic realm=\"a, b\", X\r\n"
            + "Set-Cookie: c=2\r\nContent-Range: unknown 1-2/3\r\nContent-Length: 2\r\nVary: *\r\nETag: W/\"x\"\r\nLocation: /x\r\nRetry-After: 1\r\nCache-Control: no-transform\r\nContent-Encoding: gzip\r\n"
            + "X-Unknown:1\r\n";
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n\r\n", Head + "\r\n\u001f\u008b");
        Assert.That(got, Is.EqualTo(Head + "Via: 1.1 lb\r\n\r\n\u001f\u008b"));
    }

    [Test]
    public async Task ObsTextPassesAsOpaqueBytes()
    {
        string text = string.Concat(Enumerable.Range(0x80, 0x80).Select(i => (char)i));
        Assert.That(await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\nX: a{text}\tb\r\n\r\n"), Does.Contain($"\r\nX: a{text}\tb\r\n"));
        Assert.That(await AnsweredAsync(Get, $"HTTP/1.1 200 \u00e9 {text}\r\nX: {text}\r\nContent-Length: 2\r\n\r\nok"), Does.StartWith($"HTTP/1.1 200 \u00e9 {text}\r\nX: {text}\r\n"));
    }

    [Test]
    public async Task DateIsAddedOnlyWhereItIsMissing()
    {
        string without = await AnsweredAsync(Get, "HTTP/1.1 500 x\r\nContent-Length: 2\r\n\r\nok");
        string line = without.Split("\r\n").Single(l => l.StartsWith("Date: ", StringComparison.Ordinal));
        Assert.That(DateTime.TryParseExact(line[6..], "r", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.None, out _), line);
        string with = await AnsweredAsync(Get, "HTTP/1.1 200 OK\r\ndate: whenever\r\nContent-Length: 2\r\n\r\nok");
        Assert.That(with, Does.Contain("\r\ndate: whenever\r\n").And.Not.Contains("Date:"));
    }

    [TestCase("299 Odd")]
    [TestCase("399 ")]
    [TestCase("418 I'm a teapot")]
    [TestCase("499 x")]
    [TestCase("599 Last")]
    public async Task UnknownStatusCodesPass(string status) =>
        Assert.That(await AnsweredAsync(Get, $"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok"), Does.StartWith($"HTTP/1.1 {status}\r\n").And.EndsWith("ok"));

    [Test]
    public async Task AnEmptyReasonKeepsItsSpace() =>
        Assert.That(await AnsweredAsync(Get, "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"), Does.StartWith("HTTP/1.1 200 \r\n"));

    [TestCase("GET")]
    [TestCase("DELETE")]
    [TestCase("OPTIONS")]
    public async Task ContentIsFramedWhateverTheMethod(string method) =>
        Assert.That(await ForwardedAsync($"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "hi"), Does.Contain("\r\nContent-Length: 2\r\n").And.EndsWith("\r\n\r\nhi"));

    [Test]
    public async Task ChunkExtensionsAreDropped()
    {
        string seen = await ForwardedAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c=\"d\"\r\nhi\r\n0;e\r\n\r\n", "0\r\n\r\n");
        Assert.That(seen, Does.EndWith("\r\n\r\n2\r\nhi\r\n0\r\n\r\n"));
    }

    [Test]
    public async Task TrailersStayTrailersAndForbiddenOnesAreDropped()
    {
        string got = await AnsweredAsync(Get, "HTTP/1.1 200 OK\r\nTrailer: X-End, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-End: 1\r\nContent-Length: 9\r\nSet-Cookie: x\r\nx-end: 2\r\n\r\n");
        Assert.That(got, Does.Contain("\r\nTrailer: X-End, Content-Length\r\n").And.EndsWith("\r\n\r\nok\nX-End: 1\r\nx-end: 2\r\n"));
        Assert.That(got.IndexOf("X-End: 1", StringComparison.Ordinal), Is.GreaterThan(got.IndexOf("\r\n\r\n", StringComparison.Ordinal)));
    }
}
