using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Testing;

/// <summary>A certification authority of its own, in files that go with it.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-authority-").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;
    private readonly List<X509Certificate2> _issued = [];

    public TestAuthority(string name = "Test root")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        File.WriteAllText(Root, _root.ExportCertificatePem());
        File.WriteAllText(RootKey, _key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>File with the root's key.</summary>
    public string RootKey => Path.Combine(_directory, "root.key");

    /// <summary>File with the root certificate.</summary>
    public string Root => Path.Combine(_directory, "root.pem");

    /// <summary>A certificate with its key for those names and addresses.</summary>
    /// <param name="names">DNS names and IP addresses.</param>
    /// <param name="daysLeft">Until it expires; negative when it has.</param>
    /// <param name="forClients">Whether it is a client's rather than a server's.</param>
    /// <param name="mustStaple">Whether it is to be refused without an OCSP response (RFC 7633).</param>
    public X509Certificate2 Issue(string[] names, int daysLeft = 30, bool forClients = false, bool mustStaple = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(forClients ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], critical: false));
        if (mustStaple) request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.1.24", [0x30, 3, 2, 1, 5], critical: false));
        using X509Certificate2 certificate = request.Create(_root, DateTimeOffset.UtcNow.AddDays(-60), DateTimeOffset.UtcNow.AddDays(daysLeft), RandomNumberGenerator.GetBytes(8));
        X509Certificate2 issued = certificate.CopyWithPrivateKey(key);
        _issued.Add(issued);
        return issued;
    }

    /// <summary>The same in a file, with its key.</summary>
    public string IssueFile(string[] names, int daysLeft = 30, bool forClients = false, bool mustStaple = false)
    {
        X509Certificate2 certificate = Issue(names, daysLeft, forClients, mustStaple);
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        string file = Path.Combine(_directory, $"{certificate.SerialNumber}.pem");
        File.WriteAllText(file, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return file;
    }

    public void Dispose()
    {
        foreach (X509Certificate2 certificate in _issued) certificate.Dispose();
        _root.Dispose();
        _key.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
