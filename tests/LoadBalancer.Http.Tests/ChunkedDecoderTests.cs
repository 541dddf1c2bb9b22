using System.Text;

namespace LoadBalancer.Http.Tests;

public class ChunkedDecoderTests
{
    private readonly record struct Result(ParseStatus Status, RejectionReason Reason, string Data, int Consumed);

    // Delivers the bytes in the given pieces, as a connection would.
    private static Result Decode(byte[] bytes, params int[] cuts)
    {
        var decoder = default(ChunkedDecoder);
        var data = new StringBuilder();
        int total = 0;
        int from = 0;
        foreach (int cut in cuts.Append(bytes.Length))
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(from, cut - from);
            from = cut;
            while (!rest.IsEmpty)
            {
                ParseStatus status = decoder.Read(rest, out int consumed, out int dataStart, out int dataLength);
                if (status == ParseStatus.Rejected)
                {
                    Assert.That(dataLength, Is.Zero);
                    Assert.That(decoder.Read(rest, out _, out _, out _), Is.EqualTo(ParseStatus.Rejected), "final");
                    return new Result(status, decoder.Rejection, data.ToString(), -1);
                }
                data.Append(Wire.Text(rest.Slice(dataStart, dataLength)));
                if (dataLength > 0) Assert.That(consumed, Is.EqualTo(dataStart + dataLength));
                total += consumed;
                rest = rest[consumed..];
                if (status == ParseStatus.Complete)
                {
                    Assert.That(decoder.AtTrailers, Is.True);
                    Assert.That(dataLength, Is.Zero);
                    Assert.That(decoder.Read(rest, out consumed, out _, out _), Is.EqualTo(ParseStatus.Complete), "final");
                    Assert.That(consumed, Is.Zero);
                    return new Result(status, RejectionReason.None, data.ToString(), total);
                }
                Assert.That(consumed, Is.GreaterThan(0));
                if (dataLength == 0) Assert.That(rest.IsEmpty, Is.True, "all framing is consumed");
            }
        }
        return new Result(ParseStatus.NeedMore, RejectionReason.None, data.ToString(), total);
    }

    private static Result DecodeEveryWay(string text)
    {
        byte[] bytes = Wire.Bytes(text);
        Result whole = Decode(bytes);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            Result split = Decode(bytes, cut);
            // What was good before the fault may have been passed on in more or fewer runs, but is the same.
            Assert.That(split, Is.EqualTo(whole), $"split at {cut}");
        }
        Assert.That(Decode(bytes, [.. Enumerable.Range(0, bytes.Length)]), Is.EqualTo(whole), "byte by byte");
        return whole;
    }

    [TestCase("0\r\n", "")]
    [TestCase("000\r\n", "")]
    [TestCase("5\r\nhello\r\n0\r\n", "hello")]
    [TestCase("a\r\n0123456789\r\n1\r\nx\r\n0\r\n", "0123456789x")]
    [TestCase("A\r\n01234\r\n789\r\n0\r\n", "01234\r\n789")]
    [TestCase("0000000000000003\r\nabc\r\n0\r\n", "abc")]
    [TestCase("1;a\r\nx\r\n0;b=c\r\n", "x")]
    [TestCase("1;a;b=c;d=\"e;\\\"\r f\"\r\nx\r\n0\r\n", null)]
    [TestCase("1;a;b=c;d=\"e;\\\" f\tg\u00FF\"\r\nx\r\n0\r\n", "x")]
    [TestCase("1 ; a = b ; c\t=\t\"\" ;d\r\nx\r\n0\r\n", "x")]
    public void GoodChunksAreDecoded(string text, string? data)
    {
        Result result = DecodeEveryWay(text + "\r\nGET /");
        if (data is null) Assert.That(result.Reason, Is.EqualTo(RejectionReason.BadChunkExtension));
        else Assert.That(result, Is.EqualTo(new Result(ParseStatus.Complete, RejectionReason.None, data, text.Length)));
    }

    [TestCase("\r\n", RejectionReason.BadChunkSize)]
    [TestCase(";a\r\n", RejectionReason.BadChunkSize)]
    [TestCase(" 1\r\n", RejectionReason.BadChunkSize)]
    [TestCase("-1\r\n", RejectionReason.BadChunkSize)]
    [TestCase("+1\r\n", RejectionReason.BadChunkSize)]
    [TestCase("0x1\r\n", RejectionReason.BadChunkSize)]
    [TestCase("g\r\n", RejectionReason.BadChunkSize)]
    [TestCase("1_0\r\n", RejectionReason.BadChunkSize)]
    [TestCase("1\n", RejectionReason.BadChunkSize)]
    [TestCase("1\r\r\n", RejectionReason.BadChunkSize)]
    [TestCase("1\rx", RejectionReason.BadChunkSize)]
    [TestCase("1\0\r\n", RejectionReason.BadChunkSize)]
    [TestCase("8000000000000000\r\n", RejectionReason.BadChunkSize)]
    [TestCase("ffffffffffffffff\r\n", RejectionReason.BadChunkSize)]
    [TestCase("10000000000000000\r\n", RejectionReason.BadChunkSize)]
    [TestCase("00000000000000001\r\n", RejectionReason.BadChunkSize)] // 17 digits
    [TestCase("1 \r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1 1\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;;a\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;=a\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a=\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a=b=c\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a b\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a \r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a=b \r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a=\"b\"c\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a=\"b\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a=\"\\\n\"\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a\0\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a\u007F\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1;a\rb", RejectionReason.BadChunkSize)]
    [TestCase("1;\u00FF\r\n", RejectionReason.BadChunkExtension)]
    [TestCase("1\r\nxy\r\n", RejectionReason.BadChunkEnd)]
    [TestCase("1\r\nx\n0\r\n", RejectionReason.BadChunkEnd)]
    [TestCase("1\r\nx0\r\n", RejectionReason.BadChunkEnd)]
    [TestCase("1\r\nx\rx", RejectionReason.BadChunkEnd)]
    [TestCase("1\r\nx\r\n\r\n", RejectionReason.BadChunkSize)]
    public void BadChunksAreRejected(string text, RejectionReason reason)
    {
        Assert.That(DecodeEveryWay(text).Reason, Is.EqualTo(reason));
        Assert.That(DecodeEveryWay("3\r\nabc\r\n" + text).Reason, Is.EqualTo(reason));
    }

    [Test]
    public void LargestSizeIsInt64()
    {
        var decoder = default(ChunkedDecoder);
        Assert.That(decoder.Read("7fffffffffffffff\r\nab"u8, out _, out _, out int length), Is.EqualTo(ParseStatus.NeedMore));
        Assert.That((length, decoder.ChunkRemaining), Is.EqualTo((2, long.MaxValue - 2)));
    }

    [Test]
    public void ExtensionsOfAChunkAreBounded()
    {
        string extension = ";" + new string('a', ChunkedDecoder.ChunkExtensionBytesMax - 1);
        Assert.That(Decode(Wire.Bytes($"0{extension}\r\n")).Status, Is.EqualTo(ParseStatus.Complete));
        Assert.That(Decode(Wire.Bytes($"0{extension}a")).Reason, Is.EqualTo(RejectionReason.BadChunkExtension));
    }

    [Test]
    public void ExtensionsOfAMessageAreBounded()
    {
        string chunk = "1;" + new string('a', 1023) + "\r\nx\r\n";
        string many = string.Concat(Enumerable.Repeat(chunk, ChunkedDecoder.MessageExtensionBytesMax / 1024));
        Assert.That(Decode(Wire.Bytes(many + "0\r\n")).Status, Is.EqualTo(ParseStatus.Complete));
        Assert.That(Decode(Wire.Bytes(many + "0;a\r\n")).Reason, Is.EqualTo(RejectionReason.BadChunkExtension));
    }

    [Test]
    public void RandomMessagesRoundTripInRandomPieces()
    {
        const int Seed = 20260101;
        var random = new Random(Seed);
        byte[] size = new byte[HeadWriter.HexBytesMax];
        for (int round = 0; round < 2000; round++)
        {
            var wire = new StringBuilder();
            var data = new StringBuilder();
            int chunks = random.Next(6);
            for (int i = 0; i < chunks; i++)
            {
                string payload = new([.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => (char)random.Next(256))]);
                wire.Append(Wire.Text(size.AsSpan(0, HeadWriter.WriteHex(size, payload.Length)))).Append("\r\n").Append(payload).Append("\r\n");
                data.Append(payload);
            }
            wire.Append("0\r\n");
            byte[] bytes = Wire.Bytes(wire + "\r\n");
            int[] cuts = [.. Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(bytes.Length)).Order()];
            Assert.That(Decode(bytes, cuts), Is.EqualTo(new Result(ParseStatus.Complete, RejectionReason.None, data.ToString(), wire.Length)), $"seed {Seed} round {round}");
        }
    }
}
