using System.Text;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests;

[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AddressBlockTextTests
{
    [TestCase("192.0.2.7")]
    [TestCase("192.0.2.0/24")]
    [TestCase("0.0.0.0/0")]
    [TestCase("2001:db8::1")]
    [TestCase("2001:db8::/32")]
    [TestCase("::/0")]
    public void WhatIsReadIsWrittenTheSame(string text)
    {
        Assert.That(AddressBlockText.TryParse(text, out AddressBlock block, out string? problem), Is.True, problem);
        Assert.That(AddressBlockText.Format(block), Is.EqualTo(text));
    }

    [TestCase("192.0.2.7/32", "192.0.2.7")]
    [TestCase("2001:DB8:0:0:0:0:0:1/128", "2001:db8::1")]
    [TestCase("::ffff:192.0.2.7", "192.0.2.7")]
    [TestCase("::ffff:192.0.2.0/120", "192.0.2.0/24")]
    public void OtherFormsOfTheSameAreOne(string text, string shown)
    {
        Assert.That(AddressBlockText.TryParse(text, out AddressBlock block, out _), Is.True);
        Assert.That(AddressBlockText.Format(block), Is.EqualTo(shown));
    }

    [TestCase("", "is no address or block")]
    [TestCase("10.1", "is no address or block")]
    [TestCase("010.0.0.1", "is no address or block", Description = "octal to some")]
    [TestCase("0x7f.0.0.1", "is no address or block")]
    [TestCase("300.0.0.1", "is no address or block")]
    [TestCase("10.0.0.1 ", "is no address or block")]
    [TestCase("fe80::1%eth0", "is no address or block")]
    [TestCase("[::1]", "is no address or block")]
    [TestCase("10.0.0.0/", "has no prefix length from 0 to 32")]
    [TestCase("10.0.0.0/33", "has no prefix length from 0 to 32")]
    [TestCase("10.0.0.0/-1", "has no prefix length from 0 to 32")]
    [TestCase("::/129", "has no prefix length from 0 to 128")]
    [TestCase("10.0.0.1/8", "has bits set after its prefix; did you mean \"10.0.0.0/8\" or \"10.0.0.1\"?")]
    [TestCase("2001:db8::1/32", "did you mean \"2001:db8::/32\" or \"2001:db8::1\"?")]
    [TestCase("::ffff:10.0.0.0/8", "is wider than all of IPv4")]
    public void WhatIsNoneSaysWhy(string text, string says)
    {
        Assert.That(AddressBlockText.TryParse(text, out _, out string? problem), Is.False);
        Assert.That(problem, Does.Contain(says));
    }

    [Test]
    public void AFileHasCommentsBlankLinesAndAnyLineEnds()
    {
        byte[] content = [0xEF, 0xBB, 0xBF, .. "# bad ones\r\n\r\n 10.0.0.0/8\t# ours\r\n192.0.2.0/24 ; SBL1\n\n::1"u8];
        Assert.That(AddressListFile.TryParse(content, out List<AddressBlock>? blocks, out string error), Is.True, error);
        Assert.That(blocks!.Select(AddressBlockText.Format), Is.EqualTo(new[] { "10.0.0.0/8", "192.0.2.0/24", "::1" }));
    }

    [TestCase("1.2.3.4\n# x\n1.2.3\n", "cannot be used: line 3: \"1.2.3\" is no address or block")]
    [TestCase("1.2.3.4 5.6.7.8", "cannot be used: line 1: \"1.2.3.4 5.6.7.8\" is no address or block")]
    [TestCase("\0\u0001binary", "cannot be used: line 1: \"\\u0000\\u0001binary\" is no")]
    public void AFaultOfAFileHasItsLine(string content, string says)
    {
        Assert.That(AddressListFile.TryParse(Encoding.UTF8.GetBytes(content), out _, out string error), Is.False);
        Assert.That(error, Does.StartWith(says));
    }

    [Test]
    public void AFileHasAtMostAMillionBlocks()
    {
        byte[] content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("10.0.0.1\n", AddressListFile.EntriesMax)));
        Assert.That(AddressListFile.TryParse(content, out List<AddressBlock>? blocks, out _), Is.True);
        Assert.That(blocks, Has.Count.EqualTo(AddressListFile.EntriesMax));
        Assert.That(AddressListFile.TryParse([.. content, .. "10.0.0.2"u8], out _, out string error), Is.False);
        Assert.That(error, Is.EqualTo("cannot be used: line 1000001: more than 1000000 blocks"));
    }

    [TestCase("192.0.2.7", "192.0.2.7")]
    [TestCase("2001:db8:1:2:3::4", "2001:db8:1:2::/64")]
    public void AClientIsItsAddressOrItsNetwork(string address, string block)
    {
        Assert.That(AddressBlockText.TryParseAddress(Encoding.ASCII.GetBytes(address), out PeerAddress client), Is.True);
        Assert.That(AddressBlockText.Format(AddressBlockText.OfClient(client)), Is.EqualTo(block));
    }
}
