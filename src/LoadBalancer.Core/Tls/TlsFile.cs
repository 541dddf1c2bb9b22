using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Core.Files;

namespace LoadBalancer.Core.Tls;

/// <summary>Reads the files of certificates, keys and authorities whole.</summary>
internal static class TlsFile
{
    /// <summary>Largest file, in bytes: 4 MiB, twenty times what the authorities of all browsers take.</summary>
    internal const int BytesMax = 4 * 1024 * 1024;

    /// <summary>Reads them all; false with what is wrong, as an operator says it of the first file.</summary>
    internal static bool TryRead(IReadOnlyList<string> files, [NotNullWhen(true)] out byte[][]? contents, out string error)
    {
        var read = new byte[files.Count][];
        error = "";
        contents = null;
        for (int i = 0; i < read.Length; i++)
        {
            if (WholeFile.TryRead(files[i], BytesMax, out read[i]!, out error)) continue;
            if (i > 0) error += " (the key)";
            return false;
        }
        contents = read;
        return true;
    }

    internal static string Line(Exception e) => WholeFile.Line(e);
}
