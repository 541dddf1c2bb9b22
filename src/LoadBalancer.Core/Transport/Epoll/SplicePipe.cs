namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>A pipe of the kernel's, in which bytes go from one socket to another without passing through our memory. Empty between two uses.</summary>
internal sealed class SplicePipe(int readEnd, int writeEnd, int size)
{
    internal readonly int ReadEnd = readEnd, WriteEnd = writeEnd, Size = size;
    internal int Count; // bytes in it
    internal SplicePipe? NextFree;

    internal void Close()
    {
        _ = Libc.Close(ReadEnd);
        _ = Libc.Close(WriteEnd);
    }
}

/// <summary>The pipes of one loop: a bound on those in use, and on those kept for later. Its thread only.</summary>
internal sealed unsafe class SplicePipePool
{
    // Two descriptors each; who finds none goes on copying.
    private const int UsedMax = 256, KeptMax = 16;

    // 256 KiB: what two loops may use stays below the 64 MiB of pipe memory that an unprivileged user has (pipe-user-pages-soft).
    private const int SizeWanted = 256 * 1024, SizeMin = 64 * 1024;

    private SplicePipe? _kept;

    internal int Used { get; private set; }

    /// <summary>Open and free.</summary>
    internal int Kept { get; private set; }

    /// <summary>An empty pipe; null when there are too many, or the kernel has none of a useful size.</summary>
    internal SplicePipe? Rent()
    {
        if (Used == UsedMax) return null;
        SplicePipe? pipe = _kept;
        if (pipe is not null)
        {
            _kept = pipe.NextFree;
            Kept--;
        }
        else pipe = Open();
        if (pipe is not null) Used++;
        return pipe;
    }

    /// <summary>Takes a pipe back; one that still holds bytes is closed.</summary>
    internal void Return(SplicePipe pipe)
    {
        Used--;
        if (pipe.Count > 0 || Kept == KeptMax)
        {
            pipe.Close();
            return;
        }
        pipe.NextFree = _kept;
        _kept = pipe;
        Kept++;
    }

    internal void Dispose()
    {
        for (SplicePipe? pipe = _kept; pipe is not null; pipe = pipe.NextFree) pipe.Close();
        _kept = null;
        Kept = 0;
    }

    private static SplicePipe? Open()
    {
        int* ends = stackalloc int[2];
        if (Libc.Pipe(ends, Libc.O_NONBLOCK | Libc.O_CLOEXEC) != 0) return null;
        int size = Libc.FileControl(ends[1], Libc.F_SETPIPE_SZ, SizeWanted);
        if (size <= 0) size = Libc.FileControl(ends[1], Libc.F_GETPIPE_SZ, 0);
        var pipe = new SplicePipe(ends[0], ends[1], size);
        if (size >= SizeMin) return pipe;
        pipe.Close(); // over the user's share the kernel gives a page or two
        return null;
    }
}
