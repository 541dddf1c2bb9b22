namespace LoadBalancer.Http.Tests;

/// <summary>RFC 9112 §6 in both directions.</summary>
public class FramingTests
{
    [TestCase("0", 0)]
    [TestCase("5", 5)]
    [TestCase("007", 7)]
    [TestCase("9223372036854775807", long.MaxValue)]
    public void GoodContentLengthIsTheFraming(string value, long length)
    {
        RequestHead request = Wire.GoodRequest($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {value}\r\n\r\n");
        Assert.That((request.Framing, request.ContentLength, request.HasBody), Is.EqualTo((MessageFraming.ContentLength, length, length > 0)));
        ResponseHead response = Wire.GoodResponse($"HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\n");
        Assert.That((response.Framing, response.ContentLength, response.KeepAlive), Is.EqualTo((MessageFraming.ContentLength, length, true)));
    }

    [TestCase("Content-Length:")]
    [TestCase("Content-Length: +1")]
    [TestCase("Content-Length: -1")]
    [TestCase("Content-Length: 1 1")]
    [TestCase("Content-Length: 1\t1")]
    [TestCase("Content-Length: 0x1")]
    [TestCase("Content-Length: 1.0")]
    [TestCase("Content-Length: 1e1")]
    [TestCase("Content-Length: 1,1")]
    [TestCase("Content-Length: 1, 1")]
    [TestCase("Content-Length: 1,")]
    [TestCase("Content-Length: \"1\"")]
    [TestCase("Content-Length: \u00B2")]
    [TestCase("Content-Length: 9223372036854775808")]
    [TestCase("Content-Length: 18446744073709551617")]
    [TestCase("Content-Length: 99999999999999999999999999")]
    [TestCase("Content-Length: 1\r\nContent-Length: 1")]
    [TestCase("Content-Length: 1\r\ncontent-length: 2")]
    [TestCase("Content-Length: 1\r\nX: y\r\nContent-Length:")]
    public void BadContentLengthIsRejected(string lines) => AssertRejected(lines, RejectionReason.BadContentLength);

    [TestCase("chunked")]
    [TestCase("Chunked")]
    [TestCase("CHUNKED ")]
    public void ChunkedIsTheFraming(string value)
    {
        RequestHead request = Wire.GoodRequest($"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {value}\r\n\r\n");
        Assert.That((request.Framing, request.ContentLength, request.HasBody), Is.EqualTo((MessageFraming.Chunked, -1L, true)));
        Assert.That(Wire.GoodResponse($"HTTP/1.1 200 OK\r\nTransfer-Encoding: {value}\r\n\r\n").Framing, Is.EqualTo(MessageFraming.Chunked));
    }

    [TestCase("Transfer-Encoding:")]
    [TestCase("Transfer-Encoding: gzip")]
    [TestCase("Transfer-Encoding: identity")]
    [TestCase("Transfer-Encoding: identity, chunked")]
    [TestCase("Transfer-Encoding: chunked, identity")]
    [TestCase("Transfer-Encoding: chunked, chunked")]
    [TestCase("Transfer-Encoding: chunked, gzip")]
    [TestCase("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    [TestCase("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip")]
    [TestCase("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")]
    [TestCase("Transfer-Encoding: chunked\r\nTransfer-Encoding:")]
    [TestCase("Transfer-Encoding: chunked;q=1")]
    [TestCase("Transfer-Encoding: gzip;q=1, chunked")]
    [TestCase("Transfer-Encoding: \"chunked\"")]
    [TestCase("Transfer-Encoding: chunked,")]
    [TestCase("Transfer-Encoding: , chunked")]
    [TestCase("Transfer-Encoding: xchunked")]
    [TestCase("Transfer-Encoding: chunke")]
    [TestCase("Transfer-Encoding: chunked x")]
    [TestCase("Transfer-Encoding: \u00FFchunked")]
    public void BadTransferEncodingIsRejected(string lines) => AssertRejected(lines, RejectionReason.BadTransferEncoding);

    [TestCase("Transfer-Encoding: gzip, chunked")]
    [TestCase("Transfer-Encoding: gzip,deflate\r\nTransfer-Encoding:chunked")]
    public void OtherCodingsAreUnsupported(string lines)
    {
        AssertRejected(lines, RejectionReason.UnsupportedTransferEncoding);
        Assert.That(Rejections.StatusOf(RejectionReason.UnsupportedTransferEncoding), Is.EqualTo(501));
    }

    [TestCase("Transfer-Encoding: chunked\r\nContent-Length: 1")]
    [TestCase("Content-Length: 0\r\nTransfer-Encoding: chunked")]
    [TestCase("Content-Length: x\r\nTransfer-Encoding: gzip")]
    public void BothLengthAndTransferEncodingAreRejected(string lines)
    {
        AssertRejected(lines, RejectionReason.LengthAndTransferEncoding);
        Assert.That(Wire.Response($"HTTP/1.1 304 x\r\n{lines}\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.LengthAndTransferEncoding));
        Assert.That(Wire.Response($"HTTP/1.1 200 x\r\n{lines}\r\n\r\n", RequestMethod.Head).Rejection, Is.EqualTo(RejectionReason.LengthAndTransferEncoding));
    }

    [Test]
    public void TransferEncodingInHttp10IsRejected()
    {
        Assert.That(Wire.Request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.TransferEncodingInHttp10));
        Assert.That(Wire.Response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").Rejection, Is.EqualTo(RejectionReason.TransferEncodingInHttp10));
    }

    private static void AssertRejected(string lines, RejectionReason reason)
    {
        Assert.That(Wire.Request($"POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n").Rejection, Is.EqualTo(reason), "request");
        Assert.That(Wire.Response($"HTTP/1.1 200 OK\r\n{lines}\r\n\r\n").Rejection, Is.EqualTo(reason), "response");
    }
}
