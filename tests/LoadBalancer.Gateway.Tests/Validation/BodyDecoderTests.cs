using System.IO.Compression;
using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Validation;

namespace LoadBalancer.Gateway.Tests.Validation;

[TestFixture]
public sealed class BodyDecoderTests
{
    private static byte[] Encode(string coding, byte[] content)
    {
        using var output = new MemoryStream();
        using (Stream encoder = coding switch
        {
            "gzip" => new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true),
            "br" => new BrotliStream(output, CompressionLevel.Optimal, leaveOpen: true),
            "zlib" => new ZLibStream(output, CompressionLevel.Optimal, leaveOpen: true),
            _ => new DeflateStream(output, CompressionLevel.Optimal, leaveOpen: true),
        })
        {
            encoder.Write(content);
        }
        return output.ToArray();
    }

    [TestCase("gzip", "GZIP")]
    [TestCase("gzip", "x-gzip")]
    [TestCase("br", "br")]
    [TestCase("zlib", "deflate")]
    [TestCase("raw", "deflate")]
    public void Decode_KnownCoding_IsTheContent(string coding, string field)
    {
        byte[] content = Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 5000)}\"}}");
        DecodeResult result = BodyDecoder.Decode(Encoding.ASCII.GetBytes(field), Encode(coding, content), 10_000, out ReadOnlyMemory<byte> decoded);
        Assert.That(result, Is.EqualTo(DecodeResult.Decoded));
        Assert.That(decoded.ToArray(), Is.EqualTo(content));
    }

    [TestCase("gzip")]
    [TestCase("br")]
    [TestCase("deflate")]
    public void Decode_MoreThanTheBound_IsTooLarge(string coding)
    {
        byte[] bomb = Encode(coding == "deflate" ? "zlib" : coding, new byte[50_000_000]);
        Assert.That(bomb, Has.Length.LessThan(100_000));
        Assert.That(BodyDecoder.Decode(Encoding.ASCII.GetBytes(coding), bomb, 1 << 20, out _), Is.EqualTo(DecodeResult.TooLarge));
    }

    [TestCase("gzip")]
    [TestCase("br")]
    [TestCase("deflate")]
    public void Decode_Garbage_IsBroken(string coding) =>
        Assert.That(BodyDecoder.Decode(Encoding.ASCII.GetBytes(coding), "this is not compressed"u8.ToArray(), 1000, out _), Is.EqualTo(DecodeResult.Broken));

    [TestCase("zstd")]
    [TestCase("gzip, br")]
    public void Decode_UnknownCoding_IsUnknown(string coding)
    {
        Assert.That(BodyDecoder.IsKnown(Encoding.ASCII.GetBytes(coding)), Is.False);
        Assert.That(BodyDecoder.Decode(Encoding.ASCII.GetBytes(coding), "x"u8.ToArray(), 1000, out _), Is.EqualTo(DecodeResult.Unknown));
    }

    [Test]
    public void TryGet_SeveralLines_AreOne()
    {
        var fields = new HeaderFields();
        fields.Append("X-A", "1");
        fields.Append("Cookie", "a=1");
        fields.Append("x-a", "2");
        fields.Append("Cookie", "b=2");
        FieldsView view = FieldsView.Of(fields);
        Assert.That(view.TryGet("x-a"u8, out ReadOnlySpan<byte> value), Is.True);
        Assert.That(Encoding.ASCII.GetString(value), Is.EqualTo("1, 2"));
        Assert.That(view.TryGet("cookie"u8, out value), Is.True);
        Assert.That(Encoding.ASCII.GetString(value), Is.EqualTo("a=1; b=2"));
        Assert.That(view.TryGet("x-b"u8, out _), Is.False);
    }
}
