using System.Net;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tests.Routing;

public class CidrSetTests
{
    [TestCase("10.0.0.0/8", "10.255.0.1", true)]
    [TestCase("10.0.0.0/8", "11.0.0.0", false)]
    [TestCase("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [TestCase("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    [TestCase("192.0.2.7", "192.0.2.7", true)]
    [TestCase("192.0.2.7", "192.0.2.8", false)]
    [TestCase("192.0.2.7/32", "192.0.2.7", true)]
    [TestCase("192.0.2.128/25", "192.0.2.127", false)]
    [TestCase("192.0.2.128/25", "192.0.2.128", true)]
    [TestCase("0.0.0.0/0", "203.0.113.9", true)]
    [TestCase("0.0.0.0/0", "::1", false)]
    [TestCase("::/0", "2001:db8::1", true)]
    [TestCase("::/0", "10.0.0.1", false)]
    [TestCase("::1", "::1", true)]
    [TestCase("::1", "::2", false)]
    [TestCase("2001:db8::/32", "2001:db8:ffff::1", true)]
    [TestCase("2001:db8::/32", "2001:db9::1", false)]
    [TestCase("2001:db8::/65", "2001:db8:0:0:8000::", false)]
    public void Contains_Address_IsWhetherTheBlockHasIt(string block, string address, bool expected) =>
        Assert.That(CidrSet.Parse([block]).Contains(PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse(address), 1))), Is.EqualTo(expected));

    [Test]
    public void Contains_SeveralBlocks_AsksAll()
    {
        CidrSet set = CidrSet.Parse(["10.0.0.0/8", "::1", "192.0.2.0/24"]);
        Assert.That(set.Contains(Peer("192.0.2.1")) && set.Contains(Peer("::1")) && set.Contains(Peer("10.9.9.9")));
        Assert.That(set.Contains(Peer("192.0.3.1")), Is.False);
    }

    [Test]
    public void Contains_UnixSocketOrUnknownPeer_IsFalse()
    {
        CidrSet set = CidrSet.Parse(["0.0.0.0/0", "::/0"]);
        Assert.That(set.Contains(PeerAddress.Unix), Is.False);
        Assert.That(set.Contains(default), Is.False);
    }

    [Test]
    public void Contains_EmptySet_IsFalse()
    {
        Assert.That(CidrSet.Parse([]).IsEmpty);
        Assert.That(CidrSet.Empty.Contains(Peer("127.0.0.1")), Is.False);
    }

    [TestCase("")]
    [TestCase("10.0.0.0/33")]
    [TestCase("10.0.0.0/-1")]
    [TestCase("10.0.0.0/")]
    [TestCase("10.0.0.0/8/8")]
    [TestCase("10.0.0.1/8")]
    [TestCase("2001:db8::1/32")]
    [TestCase("::/129")]
    [TestCase("10.1")]
    [TestCase("167772161")]
    [TestCase("example.com")]
    [TestCase("::ffff:0:0/8")]
    [TestCase("10.0.0.0/ 8")]
    public void Parse_NoBlock_ThrowsAndNamesIt(string text) =>
        Assert.That(() => CidrSet.Parse([text]), Throws.TypeOf<FormatException>().With.Message.Contains($"'{text}'"));

    [Test]
    public void Contains_AnyAddress_AllocatesNothing()
    {
        CidrSet set = CidrSet.Parse(["10.0.0.0/8", "::1"]);
        PeerAddress peer = Peer("192.0.2.1");
        set.Contains(peer);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) set.Contains(peer);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static PeerAddress Peer(string address) => PeerAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse(address), 1));
}
