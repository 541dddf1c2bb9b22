using System.Net;
using System.Net.Sockets;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Limiting.Tests;

public sealed class AddressTests
{
    private static (bool IsIPv4, UInt128 Bits) Bits(string text)
    {
        var address = IPAddress.Parse(text);
        UInt128 bits = UInt128.Zero;
        foreach (byte one in address.MapToIPv6().GetAddressBytes()) bits = bits << 8 | one;
        return (address.AddressFamily == AddressFamily.InterNetwork, bits);
    }

    private static AddressBlock Block(string text)
    {
        string[] parts = text.Split('/');
        (bool isIPv4, UInt128 bits) = Bits(parts[0]);
        int length = parts.Length == 1 ? 128 : int.Parse(parts[1], null) + (isIPv4 ? 96 : 0);
        return AddressBlock.Of(isIPv4, bits, length);
    }

    private static bool Contains(AddressSet set, string address)
    {
        (bool isIPv4, UInt128 bits) = Bits(address);
        return set.Contains(isIPv4, bits);
    }

    [TestCase("10.0.0.0/8", "10.255.255.255", true)]
    [TestCase("10.0.0.0/8", "11.0.0.0", false)]
    [TestCase("10.0.0.0/8", "9.255.255.255", false)]
    [TestCase("0.0.0.0/0", "255.255.255.255", true)]
    [TestCase("0.0.0.0/0", "::1", false)]
    [TestCase("::/0", "10.0.0.1", false)]
    [TestCase("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true)]
    [TestCase("2001:db8::/32", "2001:db8:ffff::1", true)]
    [TestCase("2001:db8::/32", "2001:db9::", false)]
    [TestCase("192.0.2.1", "192.0.2.1", true)]
    [TestCase("192.0.2.1", "192.0.2.2", false)]
    [TestCase("255.255.255.255", "255.255.255.255", true)]
    [TestCase("0.0.0.0", "0.0.0.0", true)]
    public void ASetHasTheAddressesOfItsBlocks(string block, string address, bool isIn) =>
        Assert.That(Contains(new AddressSet([Block(block)]), address), Is.EqualTo(isIn));

    [Test]
    public void TheEmptySetHasNone() => Assert.That((Contains(AddressSet.Empty, "0.0.0.0"), Contains(AddressSet.Empty, "::")), Is.EqualTo((false, false)));

    [Test]
    public void ItFindsWhatALookAtEachBlockFinds([Values(1, 2, 3, 4)] int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 30; round++)
        {
            // Few distinct bits, so that blocks touch and overlap.
            var blocks = new List<AddressBlock>();
            int count = random.Next(1, 300);
            for (int i = 0; i < count; i++)
            {
                bool isIPv4 = random.Next(2) == 0;
                blocks.Add(AddressBlock.Of(isIPv4, Address(random, isIPv4), isIPv4 ? 96 + random.Next(0, 33) : random.Next(0, 129)));
            }
            blocks.RemoveAll(block => block.PrefixLength is < 4 or >= 96 and < 100 && random.Next(10) > 0);
            var set = new AddressSet(blocks);
            for (int i = 0; i < 500; i++)
            {
                bool isIPv4 = random.Next(2) == 0;
                UInt128 address = Address(random, isIPv4);
                bool isIn = blocks.Any(block => block.IsIPv4 == isIPv4 && block.First <= address && address <= block.Last);
                Assert.That(set.Contains(isIPv4, address), Is.EqualTo(isIn), $"seed {seed}, round {round}");
            }
        }
    }

    private static UInt128 Address(Random random, bool isIPv4)
    {
        uint low = (uint)(random.Next(0, 8) << 29) | (uint)(random.Next(0, 4) << 14) | (uint)random.Next(0, 4);
        return isIPv4 ? (UInt128)0xFFFF << 32 | low : new UInt128((ulong)random.Next(0, 8) << 61 | (uint)random.Next(0, 4), low);
    }

    [Test]
    public void BansEndByThemselvesAndByHand()
    {
        var bans = new BanList(10);
        DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        bans.TryAdd(new(Block("10.1.0.0/16"), now.AddSeconds(10), "scan"), now);
        bans.TryAdd(new(Block("2001:db8::/64"), null, "ever"), now);
        Assert.That(Reason(bans, "10.1.2.3", now), Is.EqualTo("scan"));
        Assert.That(Reason(bans, "10.2.2.3", now), Is.Null);
        Assert.That(Reason(bans, "2001:db8::77", now.AddYears(1)), Is.EqualTo("ever"));
        Assert.That(Reason(bans, "10.1.2.3", now.AddSeconds(10)), Is.Null, "it has ended");
        Assert.That(bans.Remove(Block("2001:db8::/64")), Is.True);
        Assert.That(bans.Remove(Block("2001:db8::/64")), Is.False);
        Assert.That(Reason(bans, "2001:db8::77", now), Is.Null);
    }

    [Test]
    public void BansAreBoundedAndThoseThatHaveEndedMakeRoom()
    {
        var bans = new BanList(2);
        DateTimeOffset now = DateTimeOffset.UnixEpoch;
        Assert.That(bans.TryAdd(new(Block("10.0.0.1"), now.AddSeconds(1), "a"), now), Is.True);
        Assert.That(bans.TryAdd(new(Block("10.0.0.2"), null, "b"), now), Is.True);
        Assert.That(bans.TryAdd(new(Block("10.0.0.3"), null, "c"), now), Is.False);
        Assert.That(bans.TryAdd(new(Block("10.0.0.2"), null, "b again"), now), Is.True, "replaced");
        Assert.That(bans.TryAdd(new(Block("10.0.0.3"), null, "c"), now.AddSeconds(1)), Is.True);
        Assert.That(bans.List(now.AddSeconds(1)).Select(ban => ban.Reason), Is.EquivalentTo(new[] { "b again", "c" }));
    }

    private static string? Reason(BanList bans, string address, DateTimeOffset now)
    {
        (bool isIPv4, UInt128 bits) = Bits(address);
        return bans.Find(isIPv4, bits, now)?.Reason;
    }
}
