using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoadBalancer.Acme.Protocol;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Acme.Storage;

/// <summary>
/// What is kept on disk, apart for each authority: the account's key in account.json, a certificate each in certificates/NAME.pem. Files are written whole and renamed,
/// so that one that is there is complete; what cannot be read all the same is set aside. Processes that share the folder keep apart by locks. Thread-safe for different names.
/// </summary>
internal sealed class AcmeStorage
{
    private const int FileBytesMax = 1024 * 1024;
    // How .NET says that another has a file open: ERROR_SHARING_VIOLATION of Windows, EWOULDBLOCK of flock elsewhere. All else is no matter of waiting.
    private const int SharingViolation = unchecked((int)0x80070020), WouldBlockLinux = 11, WouldBlockMac = 35;

    private readonly string _root, _folder, _certificates;

    internal AcmeStorage(string folder, string directoryUrl)
    {
        var url = new Uri(directoryUrl);
        // A test authority's certificates must never be taken for those of the real one.
        string authority = $"{url.IdnHost}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(directoryUrl)))[..8]}";
        _root = folder;
        _folder = Path.Combine(folder, authority);
        _certificates = Path.Combine(_folder, "certificates");
    }

    private string AccountFile => Path.Combine(_folder, "account.json");

    internal string CertificateFile(string name) => Path.Combine(_certificates, $"{name}.pem");

    /// <summary>Makes the folders, and tries whether they can be written.</summary>
    /// <exception cref="IOException">They cannot.</exception>
    internal void Open()
    {
        try
        {
            // One by one: those that are made on the way get the usual mode.
            foreach (string made in (string[])[_root, _folder, _certificates]) PrivateFile.CreateDirectory(made);
            // Under a name of its own: another process may start at the same time.
            FileStreamOptions probe = PrivateFile.Options(FileMode.CreateNew, FileShare.None);
            probe.Options = FileOptions.DeleteOnClose;
            new FileStream(Path.Combine(_folder, $"writable.{Guid.NewGuid():N}"), probe).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"acme.storage: {_folder} cannot be written: {(e is UnauthorizedAccessException ? "permission denied" : e.Message)}", e);
        }
    }

    /// <summary>The account; null for none. One that cannot be used is set aside, and <paramref name="problem"/> says why.</summary>
    /// <exception cref="AcmeException">There may be one, which cannot be read now: to make another would lose its key.</exception>
    internal StoredAccount? ReadAccount(out string? problem)
    {
        problem = null;
        if (Read(AccountFile, ref problem) is not { } text) return null;
        try
        {
            if (JsonSerializer.Deserialize(text, AcmeJson.Default.StoredAccount) is { Key: { } key } account)
            {
                AccountKey.Import(key).Dispose();
                return account;
            }
            problem = "has no key";
        }
        catch (Exception e) when (e is JsonException or CryptographicException)
        {
            problem = e.Message.ReplaceLineEndings(" ");
        }
        problem = SetAside(AccountFile, problem);
        return null;
    }

    internal void WriteAccount(StoredAccount account) => PrivateFile.Write(AccountFile, JsonSerializer.Serialize(account, AcmeJson.Default.StoredAccount));

    /// <summary>The certificate for a name, perhaps expired; null for none. One that cannot be used is set aside, and <paramref name="problem"/> says why.</summary>
    /// <exception cref="AcmeException">There may be one, which cannot be read now.</exception>
    internal IssuedCertificate? ReadCertificate(string name, out string? problem)
    {
        problem = null;
        string file = CertificateFile(name);
        if (Read(file, ref problem) is not { } pem) return null;
        if (IssuedCertificate.TryParse(pem, name, out IssuedCertificate? certificate, out string error)) return certificate;
        problem = SetAside(file, error);
        return null;
    }

    /// <summary>Puts one aside that can be read but not shown; returns what to log.</summary>
    internal string SetAsideCertificate(string name, string why) => SetAside(CertificateFile(name), why);

    internal void WriteCertificate(string name, string pem) => PrivateFile.Write(CertificateFile(name), pem);

    /// <summary>Takes a lock that keeps other processes, and other tasks of this one, from the same; null while somebody has it.</summary>
    /// <exception cref="AcmeException">Nobody could have it.</exception>
    internal IDisposable? TryLock(string what)
    {
        try
        {
            return new FileStream(Path.Combine(_certificates, $"{what}.lock"), PrivateFile.Options(FileMode.OpenOrCreate, FileShare.None));
        }
        catch (IOException e) when (e.HResult is SharingViolation or WouldBlockLinux or WouldBlockMac)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AcmeException(AcmeFailure.Storage, $"{what} cannot be locked: {e.Message}", inner: e);
        }
    }

    private static string? Read(string file, ref string? problem)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length <= FileBytesMax)
            {
                using var reader = new StreamReader(stream);
                return reader.ReadToEnd();
            }
            problem = SetAside(file, $"is larger than {FileBytesMax} bytes");
        }
        catch (FileNotFoundException)
        {
            // There is none.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AcmeException(AcmeFailure.Storage, $"{file} cannot be read: {e.Message}", inner: e);
        }
        return null;
    }

    private static string SetAside(string file, string why)
    {
        try
        {
            File.Move(file, $"{file}.bad", overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is written anew in any case.
        }
        return $"{file} {why}; it is kept as {Path.GetFileName(file)}.bad";
    }
}
