using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Testing;

/// <summary>A self-signed certificate in files of its own, which go with it.</summary>
public sealed class TestCertificate : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-certificate-").FullName;

    public TestCertificate(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names) alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        Thumbprint = certificate.Thumbprint;
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Pem, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(EncryptedKey, key.ExportEncryptedPkcs8PrivateKeyPem(Password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        File.WriteAllBytes(Pfx, certificate.Export(X509ContentType.Pkcs12, Password));
    }

    public const string Password = "secret";

    public string Thumbprint { get; }

    /// <summary>Certificate and key in one file.</summary>
    public string Pem => Path.Combine(_directory, "site.pem");

    public string Certificate => Path.Combine(_directory, "site.crt");

    public string Key => Path.Combine(_directory, "site.key");

    public string EncryptedKey => Path.Combine(_directory, "encrypted.key");

    public string Pfx => Path.Combine(_directory, "site.pfx");

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
