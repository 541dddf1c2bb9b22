namespace LoadBalancer.Http.Tests;

public class ResponseHeadTests
{
    [TestCase("HTTP/1.1 200 OK", 200, "OK", 1)]
    [TestCase("HTTP/1.0 404 Not Found", 404, "Not Found", 0)]
    [TestCase("HTTP/1.7 599 \u00E9\tx", 599, "\u00E9\tx", 1)]
    [TestCase("HTTP/1.1 200 ", 200, "", 1)]
    [TestCase("HTTP/1.1 200", 200, "", 1)] // sent by real servers
    [TestCase("HTTP/1.1 200  two", 200, " two", 1)]
    public void Parse_StatusLine_IsRead(string line, int status, string reason, int minor)
    {
        string text = line + "\r\nContent-Length: 0\r\n\r\n";
        ResponseHead head = Wire.GoodResponse(text);
        Assert.That((head.Status, text.Substring(head.ReasonStart, head.ReasonLength), head.MinorVersion), Is.EqualTo((status, reason, minor)));
        Assert.That(head.Length, Is.EqualTo(text.Length));
    }

    [TestCase("", RejectionReason.BadStartLine)]
    [TestCase("\r\nHTTP/1.1 200 OK", RejectionReason.BadStartLine)]
    [TestCase("200 OK", RejectionReason.BadStartLine)]
    [TestCase("ICY 200 OK", RejectionReason.BadStartLine)]
    [TestCase("HTTP/1.1", RejectionReason.BadStartLine)]
    [TestCase("HTTP/1.1 ", RejectionReason.BadStatus)]
    [TestCase("http/1.1 200 OK", RejectionReason.BadStartLine)]
    [TestCase("HTTP/1.10 200 OK", RejectionReason.BadVersion)]
    [TestCase("HTTP/1.1\t200 OK", RejectionReason.BadVersion)]
    [TestCase("HTTP/1 200 OK", RejectionReason.BadVersion)]
    [TestCase("HTTP/2 200 OK", RejectionReason.BadVersion)]
    [TestCase("HTTP/2.0 200 OK", RejectionReason.UnsupportedVersion)]
    [TestCase("HTTP/0.9 200 OK", RejectionReason.UnsupportedVersion)]
    [TestCase("HTTP/1.1  200 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 20 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 20", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 2000 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 200OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 200\tOK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 2x0 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 +20 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 099 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 000 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 600 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 999 OK", RejectionReason.BadStatus)]
    [TestCase("HTTP/1.1 200 O\0K", RejectionReason.ControlCharacter)]
    [TestCase("HTTP/1.1 200 OK\n", RejectionReason.ControlCharacter)]
    public void Parse_BadStatusLine_IsRejected(string line, RejectionReason reason) => Assert.That(Wire.Response(line + "\r\n\r\n").Rejection, Is.EqualTo(reason));

    [TestCase(100, "", MessageFraming.None, -1)]
    [TestCase(101, "Connection: upgrade\r\nUpgrade: websocket\r\n", MessageFraming.None, -1)]
    [TestCase(103, "Link: x\r\n", MessageFraming.None, -1)]
    [TestCase(204, "", MessageFraming.None, -1)]
    [TestCase(204, "Content-Length: 0\r\n", MessageFraming.None, -1)]
    [TestCase(304, "", MessageFraming.None, -1)]
    [TestCase(304, "Content-Length: 9\r\n", MessageFraming.None, 9)]
    [TestCase(304, "Transfer-Encoding: chunked\r\n", MessageFraming.None, -1)]
    [TestCase(205, "Content-Length: 0\r\n", MessageFraming.ContentLength, 0)]
    [TestCase(200, "", MessageFraming.UntilClose, -1)]
    [TestCase(500, "", MessageFraming.UntilClose, -1)]
    [TestCase(404, "Transfer-Encoding: chunked\r\n", MessageFraming.Chunked, -1)]
    public void Parse_Response_HasTheFramingOfItsStatus(int status, string fields, MessageFraming framing, long length)
    {
        ResponseHead head = Wire.GoodResponse($"HTTP/1.1 {status} x\r\n{fields}\r\n");
        Assert.That((head.Framing, head.ContentLength), Is.EqualTo((framing, length)));
        Assert.That(head.KeepAlive, Is.EqualTo(framing != MessageFraming.UntilClose));
    }

    [TestCase(100, "Content-Length: 0")]
    [TestCase(101, "Content-Length: 1")]
    [TestCase(103, "Transfer-Encoding: chunked")]
    [TestCase(204, "Content-Length: 1")]
    [TestCase(204, "Transfer-Encoding: chunked")]
    public void Parse_LengthWhereNoneMayBe_IsRejected(int status, string field) =>
        Assert.That(Wire.Response($"HTTP/1.1 {status} x\r\n{field}\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.UnexpectedContent));

    [Test]
    public void Parse_204WithLengthZero_DropsTheField()
    {
        const string Text = "HTTP/1.1 204 x\r\nA: b\r\nContent-Length: 0\r\n\r\n";
        Assert.That(Wire.Dropped(Wire.GoodResponse(Text), Text), Is.EqualTo("Content-Length"));
    }

    [TestCase("Content-Length: 7\r\n", 7)]
    [TestCase("Transfer-Encoding: chunked\r\n", -1)]
    [TestCase("", -1)]
    public void Parse_ResponseToHead_HasNoBody(string fields, long length)
    {
        ResponseHead head = Wire.GoodResponse($"HTTP/1.1 200 OK\r\n{fields}\r\n", RequestMethod.Head);
        Assert.That((head.Framing, head.ContentLength, head.KeepAlive), Is.EqualTo((MessageFraming.None, length, true)));
    }

    [TestCase(200, MessageFraming.None)]
    [TestCase(403, MessageFraming.ContentLength)]
    public void Parse_ResponseToConnect_IsATunnelWhenSuccessful(int status, MessageFraming framing) =>
        Assert.That(Wire.GoodResponse($"HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n", RequestMethod.Connect).Framing, Is.EqualTo(framing));

    [Test]
    public void StatusLineIsBoundedByTheHead()
    {
        var limits = new HeadLimits(10, 64, 8);
        var head = new ResponseHead();
        Assert.That(head.Parse(Wire.Bytes("HTTP/1.1 200 " + new string('x', 40) + "\r\n\r\n"), limits, RequestMethod.Get), Is.EqualTo(ParseStatus.Complete));
        head.Reset();
        Assert.That(head.Parse(Wire.Bytes("HTTP/1.1 200 " + new string('x', 51)), limits, RequestMethod.Get), Is.EqualTo(ParseStatus.Rejected));
        Assert.That(head.Rejection, Is.EqualTo(RejectionReason.HeadTooLarge));
    }
}
