namespace LoadBalancer.Schemas;

/// <summary>The files of one folder and of those inside it. What is outside is never read, whatever a reference says.</summary>
/// <param name="folder">The folder.</param>
/// <param name="bytesMax">Most bytes of a file. Default 16 MiB.</param>
public sealed class DocumentFolder(string folder, int bytesMax = 16 * 1024 * 1024) : IDocumentSource
{
    private readonly string _folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
    private readonly List<string> _files = [];

    /// <summary>Full names of the files that were asked for, whether they were there or not: what to watch.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>The identifier of a file, absolute or relative to the folder.</summary>
    public Uri UriOf(string file) => new UriBuilder(Uri.UriSchemeFile, "") { Path = Uri.EscapeDataString(Path.GetFullPath(file, _folder)).Replace("%2F", "/", StringComparison.Ordinal) }.Uri;

    /// <inheritdoc/>
    public string NameOf(Uri uri) => FileOf(uri) is { } file ? Path.GetRelativePath(_folder, file) : uri.ToString();

    /// <inheritdoc/>
    public bool TryRead(Uri uri, out byte[] content, out string error)
    {
        content = [];
        if (!uri.IsFile)
        {
            error = "is no file; documents are never fetched: save it beside this one and refer to it by its relative path";
            return false;
        }
        if (FileOf(uri) is not { } file)
        {
            error = $"is outside of {_folder}, from which documents may be read";
            return false;
        }
        if (!_files.Contains(file)) _files.Add(file);
        return TryReadFile(file, out content, out error);
    }

    // Symbolic links are followed: they are the operator's, and Kubernetes mounts every file as one.
    private string? FileOf(Uri uri)
    {
        if (!uri.IsFile || uri.Host.Length > 0) return null;
        string file = Path.GetFullPath(Uri.UnescapeDataString(uri.AbsolutePath));
        return !file.Contains('\0', StringComparison.Ordinal) && file.StartsWith(_folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? file : null;
    }

    private bool TryReadFile(string file, out byte[] content, out string error)
    {
        content = [];
        error = "";
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            using var read = new MemoryStream();
            byte[] buffer = new byte[16 * 1024];
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                read.Write(buffer, 0, count);
                if (read.Length <= bytesMax) continue;
                error = $"is larger than {bytesMax} bytes";
                return false;
            }
            content = read.ToArray();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : $"cannot be read: {e.Message.ReplaceLineEndings(" ")}";
            return false;
        }
    }
}
