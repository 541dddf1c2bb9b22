using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Edge.Development;

/// <summary>
/// The self-signed certificate of <c>--https</c>, for this machine's names. It is kept in a directory of the user, so that a client that was told to trust it once goes on
/// doing so, and made anew before it expires. Where nothing can be kept it is made for one run.
/// </summary>
internal sealed class DevelopmentCertificate : IDisposable
{
    private const string PemName = "development.pem", PublicName = "development.crt";
    private static readonly TimeSpan Validity = TimeSpan.FromDays(90), RenewedBefore = TimeSpan.FromDays(14);

    private readonly string? _temporary; // a directory that goes with this object

    private DevelopmentCertificate(string directory, X509Certificate2 certificate, bool isTemporary, string? note)
    {
        _temporary = isTemporary ? directory : null;
        PemFile = Path.Combine(directory, PemName);
        PublicFile = Path.Combine(directory, PublicName);
        Fingerprint = string.Join(':', certificate.GetCertHash(HashAlgorithmName.SHA256).Select(b => b.ToString("X2", null)));
        NotAfter = certificate.NotAfter.ToUniversalTime();
        Note = note;
    }

    /// <summary>Certificate and key.</summary>
    internal string PemFile { get; }

    /// <summary>The certificate alone: for clients to trust.</summary>
    internal string PublicFile { get; }

    /// <summary>SHA-256 over the certificate, as openssl and browsers show it.</summary>
    internal string Fingerprint { get; }

    internal DateTime NotAfter { get; }

    /// <summary>Termination of TLS with it.</summary>
    internal TlsConfig Tls => new() { Certificates = [new CertificateConfig { File = PemFile }] };

    /// <summary>Why it is not kept; null where it is.</summary>
    internal string? Note { get; }

    /// <summary>The directory of the user: XDG_DATA_HOME/lb, by default ~/.local/share/lb. Null where there is none.</summary>
    internal static string? UserDirectory()
    {
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.IsPathRooted(data) ? Path.Combine(data, "lb") : null;
    }

    /// <summary>The one that is kept there, or a new one.</summary>
    /// <exception cref="IOException">Not even a temporary directory can be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    internal static DevelopmentCertificate Open(string? directory, TimeProvider time)
    {
        string note = "there is no home directory";
        try
        {
            if (directory is not null) return new(directory, Kept(directory, time), isTemporary: false, note: null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            note = e is UnauthorizedAccessException ? $"{directory} cannot be written to" : $"{directory}: {e.Message}";
        }
        string temporary = Directory.CreateTempSubdirectory("lb-development-").FullName; // mode 700
        return new(temporary, Kept(temporary, time), isTemporary: true, note);
    }

    /// <summary>As <see cref="Open"/>, for this user and now; null with one line written where that fails.</summary>
    internal static DevelopmentCertificate? TryOpen(TextWriter errors)
    {
        try
        {
            return Open(UserDirectory(), TimeProvider.System);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"lb: --https: no certificate can be written: {e.Message}");
            return null;
        }
    }

    public void Dispose()
    {
        if (_temporary is null) return;
        try
        {
            Directory.Delete(_temporary, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody can use it when it has expired.
        }
    }

    private static X509Certificate2 Kept(string directory, TimeProvider time)
    {
        PrivateFile.CreateDirectory(directory);
        string pem = Path.Combine(directory, PemName), publicFile = Path.Combine(directory, PublicName);
        bool isThere = File.Exists(pem);
        X509Certificate2? certificate = Read(pem);
        if (certificate is null || !IsGood(certificate, time.GetUtcNow()))
        {
            // Where several begin at once the first wins, and all use what it has written.
            certificate?.Dispose();
            Write(pem, Create(time.GetUtcNow()), overwrites: isThere);
            certificate = Read(pem) ?? throw new IOException($"{PemName} is no certificate with its key");
        }
        string text = certificate.ExportCertificatePem() + "\n";
        if (!File.Exists(publicFile) || File.ReadAllText(publicFile) != text) Write(publicFile, text, overwrites: true);
        return certificate;
    }

    private static X509Certificate2? Read(string file)
    {
        try
        {
            // A key that others could read is nobody's secret any more.
            if (!OperatingSystem.IsWindows() && File.Exists(file) && (File.GetUnixFileMode(file) & ~PrivateFile.OwnerOnly) != 0) return null;
            return X509Certificate2.CreateFromPemFile(file);
        }
        catch (Exception e) when (e is FileNotFoundException or CryptographicException)
        {
            return null;
        }
    }

    private static bool IsGood(X509Certificate2 certificate, DateTimeOffset now)
    {
        HashSet<string> names = [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames())];
        return certificate.NotBefore.ToUniversalTime() <= now.UtcDateTime && certificate.NotAfter.ToUniversalTime() - RenewedBefore > now.UtcDateTime && names.SetEquals(Names());
    }

    // A machine that was renamed, or a home that is shared by several, needs another.
    private static IEnumerable<string> Names()
    {
        string machine = Environment.MachineName.ToLowerInvariant();
        return Uri.CheckHostName(machine) == UriHostNameType.Dns && machine != "localhost" ? ["localhost", machine] : ["localhost"];
    }

    private static string Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost, O=lb development certificate", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (string name in Names()) names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        // No authority: whoever trusts it trusts these names, and nothing that could be signed with its key.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)); // serverAuth
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddMinutes(-5), now + Validity);
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    private static void Write(string file, string text, bool overwrites)
    {
        try
        {
            PrivateFile.Write(file, text, overwrites);
        }
        catch (IOException) when (!overwrites && File.Exists(file))
        {
            // Another process was first.
        }
    }
}
