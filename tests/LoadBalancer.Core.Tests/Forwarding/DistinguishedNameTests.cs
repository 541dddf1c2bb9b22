using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Forwarding;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.Forwarding;

[TestFixture]
public sealed class DistinguishedNameTests
{
    // RFC 4514 §4 has most of these.
    [TestCase("UID=jsmith,DC=example,DC=net", "UID=jsmith,DC=example,DC=net")]
    [TestCase("CN=client.test, OU=Team A, O=Example, C=DE", "CN=client.test,OU=Team A,O=Example,C=DE")]
    [TestCase("CN=\"James \\\"Jim\\\" Smith, III\",DC=net", null)]
    [TestCase("CN=\"a,b\"", "CN=a\\,b")]
    [TestCase("CN=\" edge \"", "CN=\\ edge\\ ")]
    [TestCase("CN=\"#hash\"", "CN=\\#hash")]
    [TestCase("CN=a\"\"b", null)]
    [TestCase("CN=Lučić", "CN=Lu\\C4\\8Di\\C4\\87")]
    [TestCase("CN=\"x\r\nHost: evil\"", "CN=x\\0D\\0AHost: evil")]
    public void ANameIsWrittenInPrintableAscii(string name, string? expected)
    {
        X500DistinguishedName parsed;
        try
        {
            parsed = new X500DistinguishedName(name);
        }
        catch (System.Security.Cryptography.CryptographicException) when (expected is null)
        {
            return; // no name to .NET either
        }
        string text = DistinguishedName.Format(parsed.RawData);
        if (expected is not null) Assert.That(text, Is.EqualTo(expected));
        Assert.That(text, Has.All.InRange(' ', '~'));
    }

    [Test]
    public void TheLastPartComesFirstAndUnknownTypesAreHexadecimal()
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCountryOrRegion("DE");
        builder.Add("1.3.6.1.4.1.1466.0", "ab");
        builder.AddCommonName("last");
        // §4: "1.3.6.1.4.1.1466.0=#04024869,O=Test,C=GB"
        string text = DistinguishedName.Format(builder.Build().RawData);
        Assert.That(text, Does.Match("^(CN=last,1\\.3\\.6\\.1\\.4\\.1\\.1466\\.0=#..026162,C=DE|C=DE,1\\.3\\.6\\.1\\.4\\.1\\.1466\\.0=#..026162,CN=last)$"));
    }

    [Test]
    public void AnEmptyNameIsEmpty() => Assert.That(DistinguishedName.Format(new byte[] { 0x30, 0 }), Is.Empty);

    [Test]
    public void SeveralAttributesInOnePartAreJoined()
    {
        // SET { CN=a, UID=b } as RFC 4514 §2.2 joins them.
        byte[] cn = [0x30, 8, 0x06, 3, 0x55, 4, 3, 0x0C, 1, (byte)'a'], ou = [0x30, 8, 0x06, 3, 0x55, 4, 11, 0x0C, 1, (byte)'b'];
        byte[] name = [0x30, 22, 0x31, 20, .. cn, .. ou];
        Assert.That(DistinguishedName.Format(name), Is.EqualTo("CN=a+OU=b"));
    }
}
