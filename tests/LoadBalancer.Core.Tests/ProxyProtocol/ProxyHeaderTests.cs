using System.Buffers.Binary;
using System.Net;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Transport;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.ProxyProtocol;

/// <summary>The tables of haproxy's proxy-protocol.txt, and what must hold for any bytes.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly PeerAddress IPv4 = Address("192.0.2.1", 56324), OtherIPv4 = Address("198.51.100.1", 443);
    private static readonly PeerAddress IPv6 = Address("2001:db8::1", 56324), OtherIPv6 = Address("2001:db8::2", 443);

    // The longest line of each family is in §2.1.
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1:56324 198.51.100.1:443")]
    [TestCase("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535 255.255.255.255:65535")]
    [TestCase("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0 0.0.0.0:0")]
    [TestCase("PROXY TCP6 2001:db8::1 ::1 56324 443\r\n", "[2001:db8::1]:56324 [::1]:443")]
    [TestCase("PROXY TCP6 2001:DB8:0:0:0:0:0:1 :: 1 2\r\n", "[2001:db8::1]:1 [::]:2")]
    [TestCase("PROXY TCP6 1:: 1:2:3:4:5:6:7:: 1 2\r\n", "[1::]:1 [1:2:3:4:5:6:7:0]:2")]
    [TestCase("PROXY TCP6 ::ffff:192.0.2.1 64:ff9b::192.0.2.33 1 2\r\n", "192.0.2.1:1 [64:ff9b::c000:221]:2", Description = "mapped: the IPv4 client it is")]
    [TestCase("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    [TestCase("PROXY UNKNOWN\r\n", "unknown")]
    [TestCase("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "unknown", Description = "107 bytes")]
    [TestCase("PROXY UNKNOWN \0\u00ff whatever \r stands here\r\n", "unknown")]
    public void Parse_Version1_GivesBothAddresses(string header, string expected) => Assert.That(Describe(Bytes(header)), Is.EqualTo(expected));

    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 99999 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 1 443 \r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 1 443 5\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 1 \r\n")]
    [TestCase("PROXY TCP4 192.0.2.1  198.51.100.1 1 443\r\n")]
    [TestCase("PROXY  TCP4 192.0.2.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4\t192.0.2.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.01 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.256 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4 192.0.2.1.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4 0xC0.0.2.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP4 2001:db8::1 2001:db8::2 1 443\r\n")]
    [TestCase("PROXY TCP6 192.0.2.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP6 2001:db8::1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY TCP6 2001:db8::1::2 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 2001:db8:::2 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7:8:: ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7: ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 :1:2:3:4:5:6:7 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 1:2:3:4:5:6:7:1.2.3.4 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 fe80::1%eth0 ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 [::1] ::1 1 443\r\n")]
    [TestCase("PROXY TCP6 12345:: ::1 1 443\r\n")]
    [TestCase("PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY tcp4 192.0.2.1 198.51.100.1 1 443\r\n")]
    [TestCase("PROXY UNKNOWNS\r\n")]
    [TestCase("PROXY \r\n")]
    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 1 443\nGET / HTTP/1.1\r\n")]
    public void Parse_Version1Malformed_IsRefused(string header) => Assert.That(Describe(Bytes(header)), Is.EqualTo("Malformed"));

    [Test]
    public void Parse_Version1WithoutItsEnd_IsRefusedAtTheLongestLine()
    {
        byte[] line = Bytes("PROXY UNKNOWN" + new string('x', 200));
        line[13] = (byte)' ';
        Assert.That(Describe(line.AsSpan(0, 106)), Is.EqualTo("NeedMore"));
        Assert.That(Describe(line.AsSpan(0, 107)), Is.EqualTo("Malformed"));
        Bytes("\r\n").CopyTo(line, 106); // the LF is the 108th byte
        Assert.That(Describe(line.AsSpan(0, 108)), Is.EqualTo("Malformed"));
        Bytes("\r\n").CopyTo(line, 105);
        Assert.That(Describe(line), Is.EqualTo("unknown"));
    }

    [TestCase("GET / HTTP/1.1\r\n")]
    [TestCase("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [TestCase("PROXY\r\n")]
    [TestCase("proxy TCP4 ")]
    [TestCase("\u0016\u0003\u0001")]
    [TestCase("\r\n\r\nGET")]
    [TestCase("\r\n\r\n\0\r\nQUIX")]
    public void Parse_SomethingElse_IsNoHeader(string bytes) => Assert.That(Describe(Bytes(bytes)), Is.EqualTo("Absent"));

    [Test]
    public void Parse_Version2_GivesBothAddresses()
    {
        Assert.That(Describe(V2(0x21, 0x11, IPv4Block)), Is.EqualTo("192.0.2.1:56324 198.51.100.1:443"));
        Assert.That(Describe(V2(0x21, 0x21, IPv6Block)), Is.EqualTo("[2001:db8::1]:56324 [2001:db8::2]:443"));
        Assert.That(Describe(V2(0x21, 0x31, new byte[216])), Is.EqualTo("unix unix"));
        Assert.That(Describe(V2(0x21, 0x11, [.. IPv4Block, .. Option(0x04, 7), .. Option(0xE0, 300)])), Is.EqualTo("192.0.2.1:56324 198.51.100.1:443"), "options are passed over");
    }

    // §2.2: the command LOCAL, no family, and datagrams, which this is none of: the connection's own addresses.
    [TestCase(0x20, 0x00, 0)]
    [TestCase(0x20, 0x11, 12)]
    [TestCase(0x20, 0xFF, 3)]
    [TestCase(0x21, 0x00, 0)]
    [TestCase(0x21, 0x00, 5)]
    [TestCase(0x21, 0x12, 12)]
    [TestCase(0x21, 0x22, 36)]
    [TestCase(0x21, 0x32, 216)]
    [TestCase(0x21, 0x00, 4080, Description = "4096 in all")]
    public void Parse_Version2ThatTellsNoAddresses_IsLeftBehind(int command, int family, int length) =>
        Assert.That(Describe(V2((byte)command, (byte)family, new byte[length])), Is.EqualTo("unknown"));

    [TestCase(0x11, 0x11, 12, Description = "version 1")]
    [TestCase(0x31, 0x11, 12, Description = "version 3")]
    [TestCase(0x22, 0x11, 12, Description = "unknown command")]
    [TestCase(0x21, 0x10, 12, Description = "no protocol")]
    [TestCase(0x21, 0x13, 12)]
    [TestCase(0x21, 0x41, 216)]
    [TestCase(0x21, 0x01, 12)]
    [TestCase(0x21, 0x11, 11, Description = "too short for its addresses")]
    [TestCase(0x21, 0x21, 35)]
    [TestCase(0x21, 0x31, 215)]
    [TestCase(0x21, 0x11, 13, Description = "an option without its length")]
    [TestCase(0x21, 0x11, 14)]
    [TestCase(0x21, 0x00, 4081, Description = "4097 in all")]
    public void Parse_Version2Malformed_IsRefused(int command, int family, int length) =>
        Assert.That(Describe(V2((byte)command, (byte)family, new byte[length])), Is.EqualTo("Malformed"));

    [Test]
    public void Parse_Version2OfAnotherVersion_IsRefusedBeforeItsLengthIsBelieved() =>
        Assert.That(Describe(V2(0x11, 0x11, new byte[12]).AsSpan(0, 13)), Is.EqualTo("Malformed"));

    [Test]
    public void Parse_OptionBeyondTheEnd_IsRefused() => Assert.That(Describe(V2(0x21, 0x11, [.. IPv4Block, 0x04, 0, 8, .. new byte[7]])), Is.EqualTo("Malformed"));

    [Test]
    public void Parse_Checksum_MustBeRightWhereThereIsOne()
    {
        byte[] header = V2(0x21, 0x11, [.. IPv4Block, .. Option(0x04, 3), .. Option(0x03, 4), .. Option(0xE1, 9)]);
        const int At = 16 + 12 + 6 + 3;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(At), Crc32C(header));
        Assert.That(Describe(header), Is.EqualTo("192.0.2.1:56324 198.51.100.1:443"));
        for (int i = 16; i < header.Length; i++)
        {
            if (i == At - 3) continue; // as another type it is no checksum
            byte[] changed = [.. header];
            changed[i] ^= 1;
            Assert.That(Describe(changed), Is.EqualTo("Malformed"), $"byte {i}");
        }
    }

    [TestCase(3)]
    [TestCase(5)]
    public void Parse_ChecksumOfAnotherLength_IsRefused(int length) =>
        Assert.That(Describe(V2(0x21, 0x11, [.. IPv4Block, .. Option(0x03, length)])), Is.EqualTo("Malformed"));

    [Test]
    public void Parse_TwoChecksums_AreRefused() =>
        Assert.That(Describe(V2(0x21, 0x11, [.. IPv4Block, .. Option(0x03, 4), .. Option(0x03, 4)])), Is.EqualTo("Malformed"));

    [Test]
    public void Write_BothOfOneFamily_IsAsTheSpecificationHasIt()
    {
        Assert.That(Encoding.ASCII.GetString(Written(ProxyProtocolVersion.V1, IPv4, OtherIPv4)), Is.EqualTo("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"));
        Assert.That(Encoding.ASCII.GetString(Written(ProxyProtocolVersion.V1, IPv6, OtherIPv6)),
            Is.EqualTo("PROXY TCP6 2001:db8:0:0:0:0:0:1 2001:db8:0:0:0:0:0:2 56324 443\r\n"));
        Assert.That(Written(ProxyProtocolVersion.V2, IPv4, OtherIPv4), Is.EqualTo(V2(0x21, 0x11, IPv4Block)));
        Assert.That(Written(ProxyProtocolVersion.V2, IPv6, OtherIPv6), Is.EqualTo(V2(0x21, 0x21, IPv6Block)));
    }

    [Test]
    public void Write_MixedFamilies_AreBothIPv6()
    {
        Assert.That(Encoding.ASCII.GetString(Written(ProxyProtocolVersion.V1, IPv4, OtherIPv6)),
            Is.EqualTo("PROXY TCP6 0:0:0:0:0:ffff:c000:201 2001:db8:0:0:0:0:0:2 56324 443\r\n"));
        byte[] header = Written(ProxyProtocolVersion.V2, IPv6, OtherIPv4);
        Assert.That(header, Has.Length.EqualTo(52));
        Assert.That(Describe(header), Is.EqualTo("[2001:db8::1]:56324 198.51.100.1:443"));
    }

    [Test]
    public void Write_WithoutAddresses_SaysThatTheyAreUnknown()
    {
        foreach ((PeerAddress source, PeerAddress destination) in new[] { (PeerAddress.Unix, PeerAddress.Unix), (IPv4, PeerAddress.Unix), (PeerAddress.Unix, IPv6), (IPv4, default) })
        {
            Assert.That(Encoding.ASCII.GetString(Written(ProxyProtocolVersion.V1, source, destination)), Is.EqualTo("PROXY UNKNOWN\r\n"));
            Assert.That(Written(ProxyProtocolVersion.V2, source, destination), Is.EqualTo(V2(0x21, 0x00, [])));
        }
    }

    [Test]
    public void WriteLocal_IsUnknownOrLocal()
    {
        byte[] output = new byte[ProxyHeader.WriteMax];
        Assert.That(Encoding.ASCII.GetString(output, 0, ProxyHeader.WriteLocal(output, ProxyProtocolVersion.V1)), Is.EqualTo("PROXY UNKNOWN\r\n"));
        Assert.That(output.AsSpan(0, ProxyHeader.WriteLocal(output, ProxyProtocolVersion.V2)).ToArray(), Is.EqualTo(V2(0x20, 0x00, [])));
    }

    [Test]
    public void Write_AnyAddresses_AreReadAgain([Values] bool isBinary)
    {
        var random = new Random(1);
        byte[] bytes = new byte[16];
        for (int i = 0; i < 20_000; i++)
        {
            PeerAddress source = Next(), destination = Next();
            byte[] header = Written(isBinary ? ProxyProtocolVersion.V2 : ProxyProtocolVersion.V1, source, destination);
            Assert.That(header, Has.Length.LessThanOrEqualTo(ProxyHeader.WriteMax));
            Assert.That(ProxyHeader.Parse([.. header, 1, 2, 3], out ProxyHeader read), Is.EqualTo(ProxyHeaderStatus.Complete));
            Assert.That(read, Is.EqualTo(new ProxyHeader { Length = header.Length, Source = source, Destination = destination }));
        }

        PeerAddress Next()
        {
            random.NextBytes(bytes);
            if (random.Next(2) == 0) bytes.AsSpan(random.Next(8), 8).Clear(); // zeros in groups
            return PeerAddress.FromBytes(bytes.AsSpan(0, random.Next(2) == 0 ? 4 : 16), (ushort)random.Next(65536));
        }
    }

    private static IEnumerable<byte[]> Samples() =>
    [
        Bytes("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
        Bytes("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 56324 443\r\n"),
        Bytes("PROXY UNKNOWN some thing\r\n"),
        Bytes("PROXY TCP4 192.0.2.1 198.51.100.1 56324 70000\r\n"),
        V2(0x21, 0x11, IPv4Block),
        V2(0x21, 0x21, [.. IPv6Block, .. Option(0x05, 20)]),
        V2(0x20, 0x00, []),
        V2(0x21, 0x31, new byte[216]),
        V2(0x21, 0x11, [.. IPv4Block, .. Option(0x03, 4)]),
        V2(0x23, 0x11, IPv4Block),
        Bytes("GET / HTTP/1.1\r\n"),
    ];

    [Test]
    public void Parse_AnyPartOfAHeader_NeverSaysAnythingElseThanTheWhole()
    {
        foreach (byte[] sample in Samples())
        {
            string whole = Describe(sample);
            ProxyHeader.Parse(sample, out ProxyHeader header);
            for (int length = 0; length <= sample.Length; length++)
            {
                string part = Describe(sample.AsSpan(0, length));
                Assert.That(part, Is.EqualTo("NeedMore").Or.EqualTo(whole));
                if (header.Length > 0) Assert.That(part == whole, Is.EqualTo(length >= header.Length), "not before its end, and then at once");
            }
            Assert.That(Describe([.. sample, .. "\r\nmore\r\n"u8]), Is.EqualTo(whole), "what follows is not looked at");
        }
    }

    // The bytes stand at the end of their array: reading beyond them throws.
    [Test]
    public void Parse_MutatedHeaders_NeverThrowsNorReadsBeyond()
    {
        var random = new Random(2);
        byte[][] samples = [.. Samples()];
        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = [.. samples[random.Next(samples.Length)]];
            for (int change = random.Next(4); change >= 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            ReadOnlySpan<byte> given = bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length);
            if (ProxyHeader.Parse(given, out ProxyHeader header) != ProxyHeaderStatus.Complete) continue;
            Assert.That(header.Length, Is.InRange(15, given.Length));
            Assert.That(ProxyHeader.Parse(given[..header.Length], out ProxyHeader again), Is.EqualTo(ProxyHeaderStatus.Complete));
            Assert.That(again, Is.EqualTo(header));
        }
    }

    [Test]
    public void ParseAndWrite_AllocateNothing()
    {
        byte[][] headers = [Bytes("PROXY TCP6 2001:db8::1 ::1 56324 443\r\n"), V2(0x21, 0x21, IPv6Block)];
        byte[] output = new byte[ProxyHeader.WriteMax];
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run()
        {
            foreach (byte[] header in headers)
            {
                ProxyHeader.Parse(header, out ProxyHeader read);
                ProxyHeader.Write(output, ProxyProtocolVersion.V1, read.Source, read.Destination);
                ProxyHeader.Write(output, ProxyProtocolVersion.V2, read.Source, read.Destination);
            }
        }
    }

    private static byte[] IPv4Block => [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 0x04, 0x01, 0xBB];

    private static byte[] IPv6Block => [0x20, 0x01, 0x0D, 0xB8, .. new byte[11], 1, 0x20, 0x01, 0x0D, 0xB8, .. new byte[11], 2, 0xDC, 0x04, 0x01, 0xBB];

    private static byte[] V2(byte command, byte family, byte[] rest) =>
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, command, family, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest];

    private static byte[] Option(byte type, int length) => [type, (byte)(length >> 8), (byte)length, .. new byte[length]];

    // Bit by bit, to compare with.
    private static uint Crc32C(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte one in bytes)
        {
            crc ^= one;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }
        return ~crc;
    }

    private static byte[] Written(ProxyProtocolVersion version, PeerAddress source, PeerAddress destination)
    {
        byte[] output = new byte[ProxyHeader.WriteMax];
        return output[..ProxyHeader.Write(output, version, source, destination)];
    }

    private static PeerAddress Address(string address, int port) => PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse(address), port));

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static string Describe(ReadOnlySpan<byte> bytes) => ProxyHeader.Parse(bytes, out ProxyHeader header) switch
    {
        ProxyHeaderStatus.Complete => header.HasAddresses ? $"{header.Source} {header.Destination}" : "unknown",
        var status => status.ToString(),
    };
}
