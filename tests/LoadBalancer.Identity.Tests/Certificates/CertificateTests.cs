using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Identity.Certificates;

namespace LoadBalancer.Identity.Tests.Certificates;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class CertificateTests
{
    private static X509Certificate2 Create(string name, Action<SubjectAlternativeNameBuilder>? names = null, byte[]? rawNames = null)
    {
        var request = new CertificateRequest(name, TestKeys.P256, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }
        if (rawNames is not null) request.CertificateExtensions.Add(new X509Extension("2.5.29.17", rawNames, false));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2049, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    private static X509Certificate2 Full() => Create("CN=alice, O=Wonderland", names =>
    {
        names.AddDnsName("a.example");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        names.AddDnsName("b.example");
        names.AddUri(new Uri("spiffe://example/alice"));
        names.AddEmailAddress("alice@example.com");
    });

    [TestCase(CertificateSubject.CommonName, "alice")]
    [TestCase(CertificateSubject.Dns, "a.example")]
    [TestCase(CertificateSubject.Uri, "spiffe://example/alice")]
    [TestCase(CertificateSubject.Email, "alice@example.com")]
    [TestCase(CertificateSubject.DistinguishedName, "CN=alice, O=Wonderland")]
    public void Read_Subject_IsWhatIsChosen(CertificateSubject subject, string expected)
    {
        using X509Certificate2 certificate = Full();
        Principal principal = CertificateIdentity.Read(certificate, subject).Principal!;
        Assert.Multiple(() =>
        {
            Assert.That(principal.Subject, Is.EqualTo(expected));
            Assert.That(principal.Has("dns", "b.example"), Is.True);
            Assert.That(principal.KeyId, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData))));
            Assert.That(principal.Has("fingerprint", principal.KeyId!), Is.True);
        });
    }

    [Test]
    public void Read_NameThatIsNotThere_NoSubject()
    {
        using X509Certificate2 certificate = Create("O=Wonderland");
        Assert.That(CertificateIdentity.Read(certificate, CertificateSubject.CommonName).Reason, Is.EqualTo(FailureReason.NoSubject));
        Assert.That(CertificateIdentity.Read(certificate, CertificateSubject.Uri).Reason, Is.EqualTo(FailureReason.NoSubject));
        Assert.That(CertificateIdentity.Read(certificate, CertificateSubject.Fingerprint).IsVerified, Is.True);
    }

    [Test]
    public void Read_NamesThatAreMalformed_Refused()
    {
        byte[] name = Encoding.ASCII.GetBytes("a.example\0.evil");
        using X509Certificate2 withNul = Create("CN=x", rawNames: [0x30, (byte)(name.Length + 2), 0x82, (byte)name.Length, .. name]);
        using X509Certificate2 broken = Create("CN=x", rawNames: [0x30, 0x05, 0x82, 0x7F, 0x61]);
        Assert.That(CertificateIdentity.Read(withNul, CertificateSubject.CommonName).Reason, Is.EqualTo(FailureReason.CredentialMalformed));
        Assert.That(CertificateIdentity.Read(broken, CertificateSubject.CommonName).Reason, Is.EqualTo(FailureReason.CredentialMalformed));
    }
}
