using System.Text;

namespace LoadBalancer.Core.Tls;

/// <summary>Files with keys: for their owner only from the first byte on, and there whole or not at all.</summary>
internal static class PrivateFile
{
    /// <summary>Reading and writing by the owner.</summary>
    internal const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a folder for its owner only. Those that are made on the way to it get the usual mode.</summary>
    internal static void CreateDirectory(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
    }

    /// <summary>How such a file is opened.</summary>
    internal static FileStreamOptions Options(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return options;
    }

    /// <summary>Writes one. A run that is cut leaves a file of another name; a machine that loses its power, the old content or the new.</summary>
    /// <param name="file">Where it is to be.</param>
    /// <param name="text">What is to stand in it.</param>
    /// <param name="overwrites">Whether it takes the place of one that is there.</param>
    /// <exception cref="IOException">It cannot be written; or it is there, and is not to be overwritten.</exception>
    internal static void Write(string file, string text, bool overwrites = true)
    {
        string draft = $"{file}.{Guid.NewGuid():N}";
        try
        {
            using (var stream = new FileStream(draft, Options(FileMode.CreateNew, FileShare.Read)))
            {
                stream.Write(Encoding.UTF8.GetBytes(text));
                stream.Flush(flushToDisk: true);
            }
            File.Move(draft, file, overwrites);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
