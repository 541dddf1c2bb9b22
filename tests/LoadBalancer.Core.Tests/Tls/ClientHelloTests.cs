using System.Buffers.Binary;
using System.Text;
using LoadBalancer.Core.Tls;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.Tls;

/// <summary>RFC 8446 §4.1.2, §5.1 and RFC 6066 §3: the name in a ClientHello, whole and in pieces.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class ClientHelloTests
{
    private static readonly byte[] Alpn = Extension(16, 0, 3, 2, (byte)'h', (byte)'2');

    [Test]
    public void Parse_ANameAmongExtensions_IsFound() =>
        Assert.That(Read(Records(Hello(Alpn, Name("a.test"), Alpn))), Is.EqualTo((ClientHelloStatus.Complete, "a.test")));

    [Test]
    public void Parse_NoName_IsEmpty() => Assert.That(Read(Records(Hello(Alpn))), Is.EqualTo((ClientHelloStatus.Complete, "")));

    [Test]
    public void Parse_NoExtensionsAtAll_IsEmpty()
    {
        byte[] hello = Hello();
        Assert.That(Read(Records(Message(hello[4..^2]))), Is.EqualTo((ClientHelloStatus.Complete, "")));
    }

    [Test]
    public void Parse_WhatComesBehindTheHello_IsNotLookedAt() =>
        Assert.That(Read([.. Records(Hello(Name("a.test"))), 23, 3, 3, 0, 1, 0]), Is.EqualTo((ClientHelloStatus.Complete, "a.test")));

    // The same for every size of record, and for every split of what is received.
    [Test]
    public void Parse_AnyFragmentation_IsTheSame()
    {
        byte[] hello = Hello(Alpn, Name("some.name.test"));
        for (int record = 1; record <= hello.Length; record++)
        {
            byte[] bytes = Records(hello, record);
            for (int split = 0; split <= bytes.Length; split++)
            {
                var parser = new ClientHello();
                Span<byte> room = new byte[ClientHello.LengthMax];
                ClientHelloStatus status = parser.Parse(bytes.AsSpan(0, split), room, out ReadOnlySpan<byte> name);
                if (split < bytes.Length)
                {
                    Assert.That(status, Is.EqualTo(ClientHelloStatus.NeedMore), $"{split} bytes, records of {record}");
                    status = parser.Parse(bytes, room, out name);
                }
                Assert.That((status, Encoding.Latin1.GetString(name)), Is.EqualTo((ClientHelloStatus.Complete, "some.name.test")), $"{split} bytes, records of {record}");
            }
        }
    }

    [Test]
    public void Parse_ByteForByte_IsTheSame()
    {
        byte[] bytes = Records(Hello(Name("a.test")), 7);
        var parser = new ClientHello();
        for (int length = 0; length < bytes.Length; length++)
            Assert.That(parser.Parse(bytes.AsSpan(0, length), new byte[ClientHello.LengthMax], out _), Is.EqualTo(ClientHelloStatus.NeedMore));
        Assert.That(parser.Parse(bytes, new byte[ClientHello.LengthMax], out ReadOnlySpan<byte> name), Is.EqualTo(ClientHelloStatus.Complete));
        Assert.That(Encoding.Latin1.GetString(name), Is.EqualTo("a.test"));
    }

    // Each vector's length one more and one less, at every place: nothing is read beyond a bound, and nothing is left over unseen.
    [Test]
    public void Parse_AnyByteChanged_NeverThrowsAndNeverFindsWhatIsNotThere()
    {
        byte[] bytes = Records(Hello(Alpn, Name("a.test")));
        for (int at = 0; at < bytes.Length; at++)
        {
            for (int change = 1; change < 256; change++)
            {
                byte[] changed = [.. bytes];
                changed[at] = (byte)(changed[at] + change);
                (ClientHelloStatus status, string name) = Read(changed);
                if (status == ClientHelloStatus.Complete && name.Length > 0) Assert.That(name, Has.Length.EqualTo(6), $"byte {at} changed by {change}");
            }
        }
    }

    [TestCase(0, 21)]
    [TestCase(1, 2)]
    [TestCase(5, 2, Description = "another message")]
    public void Parse_NotAHello_IsMalformedAtThatByte(int at, byte value)
    {
        byte[] bytes = Records(Hello());
        bytes[at] = value;
        Assert.That(Read(bytes[..(at + 1)]).Status, Is.EqualTo(ClientHelloStatus.Malformed));
    }

    [Test]
    public void Parse_AnEmptyRecord_IsMalformed() => Assert.That(Read([22, 3, 1, 0, 0]).Status, Is.EqualTo(ClientHelloStatus.Malformed));

    [Test]
    public void Parse_ARecordThatIsTooLong_IsMalformed() => Assert.That(Read([22, 3, 1, 0x40, 1]).Status, Is.EqualTo(ClientHelloStatus.Malformed));

    [Test]
    public void Parse_TheLongestHello_IsTakenAndALongerOneRefused()
    {
        int rest = ClientHello.LengthMax - Hello(Extension(21)).Length;
        Assert.That(Read(Records(Hello(Extension(21, new byte[rest])), 1000)).Status, Is.EqualTo(ClientHelloStatus.Complete));
        Assert.That(Read(Records(Hello(Extension(21, new byte[rest])), 1)).Status, Is.EqualTo(ClientHelloStatus.Complete));
        Assert.That(Read(Records(Hello(Extension(21, new byte[rest + 1])), 1000)).Status, Is.EqualTo(ClientHelloStatus.Malformed));
    }

    [Test]
    public void Parse_NamesThatAreNone_AreMalformed()
    {
        byte[][] wrong =
        [
            [], [0, 0], [0, 3, 0, 0, 0], [0, 4, 1, 0, 1, (byte)'a'], [0, 4, 0, 0, 2, (byte)'a'], [0, 5, 0, 0, 1, (byte)'a', 0], [0, 4, 0, 0, 1, 0],
            [0, 8, 0, 0, 1, (byte)'a', 0, 0, 1, (byte)'b'], [0, 4, 0, 0, 1, (byte)'a', 0],
        ];
        Assert.Multiple(() =>
        {
            foreach (byte[] extension in wrong)
                Assert.That(Read(Records(Hello(Extension(0, extension)))).Status, Is.EqualTo(ClientHelloStatus.Malformed), Convert.ToHexString(extension));
            Assert.That(Read(Records(Hello(Name("a"), Name("b")))).Status, Is.EqualTo(ClientHelloStatus.Malformed), "twice");
        });
    }

    private static (ClientHelloStatus Status, string Name) Read(byte[] bytes)
    {
        var parser = new ClientHello();
        ClientHelloStatus status = parser.Parse(bytes, new byte[ClientHello.LengthMax], out ReadOnlySpan<byte> name);
        return (status, Encoding.Latin1.GetString(name));
    }

    private static byte[] Extension(int type, params byte[] content) => [.. Number(type), .. Number(content.Length), .. content];

    private static byte[] Name(string name) => Extension(0, [.. Number(name.Length + 3), 0, .. Number(name.Length), .. Encoding.Latin1.GetBytes(name)]);

    private static byte[] Hello(params byte[][] extensions)
    {
        byte[] all = [.. extensions.SelectMany(e => e)];
        return Message([3, 3, .. new byte[32], 4, 1, 2, 3, 4, 0, 2, 0x13, 1, 1, 0, .. Number(all.Length), .. all]);
    }

    private static byte[] Message(byte[] body) => [1, (byte)(body.Length >> 16), .. Number(body.Length & 0xffff), .. body];

    private static byte[] Records(byte[] message, int length = 16384) => [.. message.Chunk(length).SelectMany(part => (byte[])[22, 3, 1, .. Number(part.Length), .. part])];

    private static byte[] Number(int number)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)number);
        return bytes;
    }
}
