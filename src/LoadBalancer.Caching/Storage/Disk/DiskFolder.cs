using System.Globalization;
using System.Security.Cryptography;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>
/// The files of a store: 256 folders, in which a file is named by the hash of its key and a number that no other has; what is being written lies in <c>tmp</c>. Only names of
/// this form are ever touched. Deletes on a thread of the pool. For one process: it holds a lock.
/// </summary>
internal sealed class DiskFolder : IDisposable
{
    private const string Suffix = ".object", Unfinished = ".tmp";
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite, OwnerFolder = OwnerFile | UnixFileMode.UserExecute;
    private const int HashLength = 32, SequenceLength = 16;

    private readonly string _root, _unfinished;
    private readonly FileStream _lock;
    private readonly Action<string>? _onFault;
    private readonly Queue<string> _deletions = new();
    private TaskCompletionSource? _deleted;
    private bool _isDeleting, _isFaulty;
    private long _faults;

    /// <exception cref="FolderInUseException">Another process uses it.</exception>
    /// <exception cref="IOException">It cannot be made or written to.</exception>
    internal DiskFolder(string root, Action<string>? onFault)
    {
        _root = Path.GetFullPath(root);
        _onFault = onFault;
        _unfinished = Path.Combine(_root, "tmp");
        MakeFolder(_root);
        MakeFolder(_unfinished);
        for (int i = 0; i < 256; i++) MakeFolder(Path.Combine(_root, i.ToString("x2", CultureInfo.InvariantCulture)));
        try
        {
            _lock = Create(Path.Combine(_root, "lock"), FileMode.OpenOrCreate);
        }
        catch (IOException e)
        {
            throw IsSharingViolation(e) ? new FolderInUseException($"The cache folder {_root} is in use by another process: {e.Message}", e) : new IOException($"The cache folder {_root} cannot be written to: {e.Message}", e);
        }
    }

    // The runtime has no type for it: the number is the system's.
    private static bool IsSharingViolation(IOException exception)
    {
        const int WindowsSharingViolation = unchecked((int)0x80070020), LinuxWouldBlock = 11, MacWouldBlock = 35;
        return exception.HResult == (OperatingSystem.IsWindows() ? WindowsSharingViolation : OperatingSystem.IsMacOS() ? MacWouldBlock : LinuxWouldBlock);
    }

    internal long Faults => Volatile.Read(ref _faults);

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerFolder);
    }

    private static FileStream Create(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerFile;
        return new(path, options);
    }

    internal FileStream CreateUnfinished(long sequence) => Create(UnfinishedPath(sequence), FileMode.CreateNew);

    private string UnfinishedPath(long sequence) => Path.Combine(_unfinished, sequence.ToString("x16", CultureInfo.InvariantCulture) + Unfinished);

    /// <summary>Gives a finished file its name: from then on it is there, whole, or not at all.</summary>
    internal string Finish(long sequence, ReadOnlySpan<byte> key)
    {
        // Not under a secret: the name must not change with the process. Nobody but the owner sees it.
        string hash = Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, HashLength / 2));
        string path = Path.Combine(_root, hash[..2], $"{hash}-{sequence:x16}{Suffix}");
        File.Move(UnfinishedPath(sequence), path, overwrite: false);
        return path;
    }

    internal void DeleteUnfinished(long sequence) => Delete(UnfinishedPath(sequence));

    /// <summary>Files with a name of ours, and their numbers, in no order. Removes what was left unfinished.</summary>
    internal IEnumerable<(long Sequence, string Path)> Scan()
    {
        foreach (string path in Directory.EnumerateFiles(_unfinished, "*" + Unfinished)) Delete(path);
        for (int i = 0; i < 256; i++)
        {
            string folder = Path.Combine(_root, i.ToString("x2", CultureInfo.InvariantCulture));
            foreach (string path in Directory.EnumerateFiles(folder, "*" + Suffix))
            {
                ReadOnlySpan<char> name = Path.GetFileNameWithoutExtension(path.AsSpan());
                bool isOurs = name.Length == HashLength + 1 + SequenceLength && name[HashLength] == '-';
                if (isOurs && long.TryParse(name[(HashLength + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long sequence)) yield return (sequence, path);
            }
        }
    }

    internal void Delete(string path)
    {
        lock (_deletions)
        {
            _deletions.Enqueue(path);
            if (_isDeleting) return;
            _isDeleting = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(static folder => folder.DeleteAll(), this, preferLocal: false);
    }

    private void DeleteAll()
    {
        while (true)
        {
            string? path;
            lock (_deletions)
            {
                if (!_deletions.TryDequeue(out path))
                {
                    _isDeleting = false;
                    _deleted?.SetResult();
                    _deleted = null;
                    return;
                }
            }
            try
            {
                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                NoteFault($"cannot delete {path}: {e.Message}");
            }
        }
    }

    /// <summary>Ends when all deletions so far are done.</summary>
    internal Task DeletedAsync()
    {
        lock (_deletions) return _isDeleting ? (_deleted ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
    }

    internal void NoteFault(string what)
    {
        Interlocked.Increment(ref _faults);
        if (!Interlocked.Exchange(ref _isFaulty, true)) _onFault?.Invoke(what);
    }

    internal void NoteSuccess() => Volatile.Write(ref _isFaulty, false);

    public void Dispose() => _lock.Dispose();
}
