using System.Text;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Where <c>${NAME}</c> and <c>@file:</c> get their values: the process environment and the file system, or a test's own.</summary>
internal sealed class ConfigSources
{
    private const int FileBytesMax = 1024 * 1024;

    internal ConfigSources(string baseDirectory, Func<string, string?>? environment = null)
    {
        BaseDirectory = baseDirectory;
        Environment = environment ?? System.Environment.GetEnvironmentVariable;
    }

    /// <summary>What relative paths of <c>@file:</c> are relative to: the directory of the configuration file.</summary>
    internal string BaseDirectory { get; }

    internal Func<string, string?> Environment { get; }

    /// <summary>Content of a file without white space around it; else the error as the rest of a sentence.</summary>
    internal bool TryReadFile(string path, out string content, out string error)
    {
        content = error = "";
        try
        {
            using FileStream stream = File.OpenRead(Path.Combine(BaseDirectory, path));
            byte[] bytes = new byte[FileBytesMax + 1]; // by count, not by Length: secrets are also mounted as pipes
            int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count > FileBytesMax)
            {
                error = $"is larger than {FileBytesMax} bytes";
                return false;
            }
            content = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.AsSpan(0, count)).Trim();
            return true;
        }
        catch (DecoderFallbackException)
        {
            error = "is not UTF-8";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = FileProblem.Describe(e, Path.Combine(BaseDirectory, path));
        }
        return false;
    }
}

/// <summary>Why a file cannot be read, in the words of an operator.</summary>
internal static class FileProblem
{
    internal static string Describe(Exception e, string path) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        UnauthorizedAccessException => Directory.Exists(path) ? "is a directory" : "cannot be read: permission denied",
        _ => $"cannot be read: {e.Message.ReplaceLineEndings(" ")}",
    };
}
