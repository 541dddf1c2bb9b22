using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Core.Files;

/// <summary>Reads small files whole, up to a bound.</summary>
internal static class WholeFile
{
    /// <summary>Reads one; false with what is wrong, as an operator says it of the file.</summary>
    internal static bool TryRead(string file, int bytesMax, [NotNullWhen(true)] out byte[]? content, out string error)
    {
        content = null;
        error = "";
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            using var read = new MemoryStream();
            // By count, not by Length: the file may be a pipe, or grow.
            byte[] buffer = new byte[16 * 1024];
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                read.Write(buffer, 0, count);
                if (read.Length <= bytesMax) continue;
                error = $"is larger than {bytesMax} bytes";
                return false;
            }
            content = read.ToArray();
            // It may have been a key.
            Array.Clear(buffer);
            Array.Clear(read.GetBuffer());
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "does not exist",
                UnauthorizedAccessException when Directory.Exists(file) => "is a directory",
                UnauthorizedAccessException => "cannot be read: permission denied",
                _ => $"cannot be read: {Line(e)}",
            };
            return false;
        }
    }

    /// <summary>What an exception says, on one line.</summary>
    internal static string Line(Exception e) => e.Message.ReplaceLineEndings(" ").Trim();
}
