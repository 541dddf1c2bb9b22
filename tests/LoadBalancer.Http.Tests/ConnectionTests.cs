namespace LoadBalancer.Http.Tests;

/// <summary>RFC 9112 §9.3 and RFC 9110 §7.6.1.</summary>
public class ConnectionTests
{
    [TestCase("1.1", "", true)]
    [TestCase("1.0", "", false)]
    [TestCase("1.1", "Connection: close", false)]
    [TestCase("1.1", "Connection: Close", false)]
    [TestCase("1.1", "Connection: keep-alive", true)]
    [TestCase("1.0", "Connection: Keep-Alive", true)]
    [TestCase("1.0", "Connection: close", false)]
    [TestCase("1.0", "Connection: keep-alive, close", false)]
    [TestCase("1.1", "Connection: close, keep-alive", false)]
    [TestCase("1.1", "Connection: keep-alive\r\nConnection: close", false)]
    [TestCase("1.1", "Connection: x,,\"close\" , CLOSE,", false)]
    [TestCase("1.1", "Connection: closed", true)]
    [TestCase("1.1", "Connection: \"close\"", true)]
    [TestCase("1.0", "Connection: x, keep-alive", true)]
    [TestCase("1.0", "Keep-Alive: timeout=5", false)]
    [TestCase("1.1", "Proxy-Connection: close", true)]
    public void KeepAliveFollowsVersionAndOptions(string version, string line, bool expected)
    {
        if (line.Length > 0) line += "\r\n";
        Assert.That(Wire.GoodRequest($"GET / HTTP/{version}\r\nHost: a\r\n{line}\r\n").KeepAlive, Is.EqualTo(expected));
        Assert.That(Wire.GoodResponse($"HTTP/{version} 200 OK\r\nContent-Length: 0\r\n{line}\r\n").KeepAlive, Is.EqualTo(expected));
    }

    [Test]
    public void HopByHopFieldsAreMarkedWithoutBeingNamed()
    {
        const string Text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nProxy-Authenticate: x\r\nProxy-Authorization: x\r\n"
            + "TE: x\r\nTrailer: x\r\nUpgrade: x\r\nHTTP2-Settings: x\r\nTransfer-Encoding: chunked\r\nVia: x\r\nX: y\r\n\r\n";
        Assert.That(Wire.Dropped(Wire.GoodRequest(Text), Text),
            Is.EqualTo("Connection Keep-Alive Proxy-Connection Proxy-Authenticate Proxy-Authorization TE Upgrade HTTP2-Settings Transfer-Encoding"));
    }

    [TestCase("x-one", "X-One")]
    [TestCase("X-ONE, close, x-two", "X-One X-Two")]
    [TestCase("x-one x-two", "")]
    [TestCase(",, ;x-one, @, x-two,", "X-Two")]
    [TestCase("trailer, x-on", "Trailer")]
    [TestCase("host, content-length, cache-control, authorization, cookie, set-cookie, content-type, x-forwarded-for, x-forwarded-proto, x-forwarded-port, x-forwarded-x, forwarded, via, date, x-real-ip, content-encoding", "")]
    public void FieldsNamedByConnectionAreMarkedUnlessProtected(string options, string expected)
    {
        string text = $"GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-Two: 2\r\nTrailer: t\r\nContent-Length: 0\r\nCache-Control: x\r\nAuthorization: x\r\nCookie: x\r\nSet-Cookie: x\r\n"
            + "Content-Type: x\r\nContent-Encoding: x\r\nX-Forwarded-For: x\r\nX-Forwarded-Proto: x\r\nX-Forwarded-Port: x\r\nX-Forwarded-X: x\r\nForwarded: x\r\nVia: x\r\nDate: x\r\nX-Real-IP: x\r\n"
            + $"Connection: {options}\r\nx-one: 3\r\n\r\n";
        string dropped = Wire.Dropped(Wire.GoodRequest(text), text);
        string[] names = [.. dropped.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(n => n is not "Connection" and not "x-one")];
        Assert.That(string.Join(' ', names), Is.EqualTo(expected));
        Assert.That(dropped.Contains("x-one", StringComparison.Ordinal), Is.EqualTo(expected.Contains("X-One", StringComparison.Ordinal)), "fields after Connection too");
    }

    [TestCase("", null)]
    [TestCase("Connection: close\r\n", null)]
    [TestCase("Connection: Keep-Alive, te, upgrade, close,\r\n", null)]
    [TestCase("Connection: x-one\r\n", "x-one,")]
    [TestCase("Connection: close\r\nX: y\r\nConnection: x-one , x-two\r\n", "close,x-one , x-two,")]
    public void OptionsThatMayNameFieldsAreKeptForTheTrailers(string lines, string? expected)
    {
        byte[] bytes = Wire.Bytes($"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        var head = new RequestHead();
        head.Parse(bytes, Wire.Limits);
        byte[]? options = head.CopyFieldOptions(bytes);
        Assert.That(options is null ? null : Wire.Text(options), Is.EqualTo(expected));
        head.Reset();
        head.Parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8, Wire.Limits);
        Assert.That(head.CopyFieldOptions(bytes), Is.Null, "forgotten with the message");
    }

    [Test]
    public void TooManyNamedOptionsAreRejectedRatherThanIgnored()
    {
        string options = string.Join(',', Enumerable.Range(0, 64).Select(i => $"x{i}"));
        Assert.That(Wire.Request($"GET / HTTP/1.1\r\nHost: a\r\nConnection: {options}\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.None));
        Assert.That(Wire.Request($"GET / HTTP/1.1\r\nHost: a\r\nConnection: {options},y\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.TooManyFields));
    }

    [TestCase("1.1", "Connection: Upgrade\r\nUpgrade: websocket", true)]
    [TestCase("1.1", "Upgrade: websocket\r\nConnection: keep-alive, upgrade", true)]
    [TestCase("1.0", "Connection: Upgrade\r\nUpgrade: websocket", false)]
    [TestCase("1.1", "Connection: Upgrade", false)]
    [TestCase("1.1", "Upgrade: websocket", false)]
    [TestCase("1.1", "Connection: Upgrade\r\nUpgrade:", false)]
    [TestCase("1.1", "Connection: Upgrade\r\nUpgrade: h2c", false)]
    [TestCase("1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: H2C, h2c", false)]
    [TestCase("1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket", true)]
    public void IsUpgradeNeedsOptionFieldAndProtocol(string version, string lines, bool expected)
    {
        Assert.That(Wire.GoodRequest($"GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n\r\n").IsUpgrade, Is.EqualTo(expected));
        Assert.That(Wire.GoodResponse($"HTTP/{version} 101 x\r\n{lines}\r\n\r\n").IsUpgrade, Is.EqualTo(expected));
    }

    [TestCase("TE: trailers\r\nConnection: TE", true)]
    [TestCase("TE: gzip, Trailers\r\nConnection: close, te", true)]
    [TestCase("TE: trailers", false)]
    [TestCase("TE: gzip\r\nConnection: TE", false)]
    [TestCase("Connection: TE", false)]
    public void AcceptsTrailersNeedsTeNamedByConnection(string lines, bool expected) =>
        Assert.That(Wire.GoodRequest($"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n").AcceptsTrailers, Is.EqualTo(expected));
}
