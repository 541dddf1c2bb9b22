using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tests.Transport;

public class PeerAddressTests
{
    private static readonly string[] Addresses =
        ["0.0.0.0", "127.0.0.1", "192.0.2.255", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4", "2001:db8:1:2:3:4:5:6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];

    [TestCaseSource(nameof(Addresses))]
    public void FromEndPoint_Address_ComesBackTheSame(string text)
    {
        IPAddress address = IPAddress.Parse(text);
        PeerAddress peer = PeerAddress.FromEndPoint(new IPEndPoint(address, 4711));
        Assert.That(peer.ToIPAddress(), Is.EqualTo(address));
        Assert.That(peer.Port, Is.EqualTo(4711));
        Assert.That(peer.Family, Is.EqualTo(address.AddressFamily));
        Assert.That(peer.ToString(), Is.EqualTo(new IPEndPoint(address, 4711).ToString()));
    }

    [TestCaseSource(nameof(Addresses))]
    public void FormatAddress_Address_IsTheUsualText(string text)
    {
        Span<byte> buffer = stackalloc byte[45];
        int length = PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse(text), 1)).FormatAddress(buffer);
        Assert.That(Encoding.ASCII.GetString(buffer[..length]), Is.EqualTo(text));
    }

    [Test]
    public void FromEndPoint_MappedAddress_IsTheSameAsIPv4()
    {
        PeerAddress mapped = PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.1"), 80));
        Assert.That(mapped, Is.EqualTo(PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 80))));
        Assert.That(mapped.Family, Is.EqualTo(AddressFamily.InterNetwork));
    }

    [Test]
    public void FromBytes_HighestPort_IsKept() => Assert.That(PeerAddress.FromBytes([1, 2, 3, 4], 65535).ToString(), Is.EqualTo("1.2.3.4:65535"));

    [Test]
    public void FromEndPoint_UnixSocket_IsUnix()
    {
        PeerAddress peer = PeerAddress.FromEndPoint(new UnixDomainSocketEndPoint("/tmp/x"));
        Assert.That(peer, Is.EqualTo(PeerAddress.Unix));
        Assert.That((peer.Family, peer.Port, peer.ToString()), Is.EqualTo((AddressFamily.Unix, (ushort)0, "unix")));
        byte[] buffer = new byte[45];
        Assert.That(Encoding.ASCII.GetString(buffer.AsSpan(0, peer.FormatAddress(buffer))), Is.EqualTo("unix"));
    }

    [Test]
    public void FromEndPoint_Null_IsUnspecified() => Assert.That(PeerAddress.FromEndPoint(null).Family, Is.EqualTo(AddressFamily.Unspecified));

    [Test]
    public void AddressBits_IPv4_IsTheMappedForm() =>
        Assert.That(PeerAddress.FromBytes([10, 1, 2, 3], 0).AddressBits, Is.EqualTo((UInt128)0xFFFF_0A01_0203UL));
}
