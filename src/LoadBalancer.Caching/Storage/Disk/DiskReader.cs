using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>
/// An open object: its body, piece by piece, each checked before it is given out. One read at a time; disposed once by its owner, also after the object has left the store,
/// which it does not notice.
/// </summary>
public sealed class DiskReader : IDisposable
{
    /// <summary>Smallest buffer for <see cref="ReadAsync"/>; larger ones are used in whole multiples.</summary>
    public const int BlockBytes = DiskHeader.BlockBytes;

    private readonly SafeFileHandle _handle;
    private readonly DiskHeader _header;
    private readonly uint[] _sums;
    private readonly IDiskReaderOwner _owner;
    private readonly object _object;
    private bool _isDisposed;

    private DiskReader(SafeFileHandle handle, in DiskHeader header, uint[] sums, IDiskReaderOwner owner, object entry)
    {
        _handle = handle;
        _header = header;
        _sums = sums;
        _owner = owner;
        _object = entry;
    }

    /// <summary>Of the body, in bytes.</summary>
    public long Length => _header.BodyLength;

    /// <summary>Opens a file and holds it against what the index says. Blocks: on a thread of the pool.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static DiskReader? TryOpen(DiskFile file, IDiskReaderOwner owner, object entry)
    {
        SafeFileHandle handle = File.OpenHandle(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        bool isOpen = false;
        try
        {
            Span<byte> bytes = stackalloc byte[DiskHeader.Length];
            if (!ReadExactly(handle, bytes, 0)) return null;
            if (!DiskHeader.TryRead(bytes, RandomAccess.GetLength(handle), int.MaxValue, out DiskHeader header) || header != file.Header) return null;
            uint[] sums = new uint[header.Blocks];
            Span<byte> table = MemoryMarshal.AsBytes(sums.AsSpan());
            if (!ReadExactly(handle, table, header.TableStart) || DiskHeader.Checksum(table) != header.TableSum) return null;
            isOpen = true;
            return new(handle, header, sums, owner, entry);
        }
        finally
        {
            if (!isOpen) handle.Dispose();
        }
    }

    internal static bool ReadExactly(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(handle, bytes, offset);
            if (read == 0) return false;
            offset += read;
            bytes = bytes[read..];
        }
        return true;
    }

    /// <summary>
    /// The bytes from <paramref name="offset"/> on, as many as the blocks give that fit into <paramref name="buffer"/>; empty at the end. Null when the file is torn, altered or
    /// unreadable: nothing of it is given out, the object is removed from the store, and who sends it breaks off. Reads on a thread of the pool.
    /// </summary>
    /// <param name="offset">In the body.</param>
    /// <param name="buffer">At least <see cref="BlockBytes"/>; the result lies in it.</param>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(long offset, Memory<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(buffer.Length, BlockBytes);
        if (offset >= _header.BodyLength) return ReadOnlyMemory<byte>.Empty;
        long first = offset / BlockBytes;
        long start = first * BlockBytes;
        int length = (int)Math.Min(buffer.Length / BlockBytes * (long)BlockBytes, _header.BodyLength - start);
        int done = 0;
        try
        {
            while (done < length)
            {
                int read = await RandomAccess.ReadAsync(_handle, buffer[done..length], _header.BodyStart + start + done).ConfigureAwait(false);
                if (read == 0) break;
                done += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            done = 0;
        }
        if (done < length || !IsWhole(buffer.Span[..length], first))
        {
            _owner.OnFaulty(_object);
            return null;
        }
        return buffer[(int)(offset - start)..length];
    }

    private bool IsWhole(ReadOnlySpan<byte> bytes, long block)
    {
        for (; !bytes.IsEmpty; block++)
        {
            int length = Math.Min(bytes.Length, BlockBytes);
            if (DiskHeader.Checksum(bytes[..length]) != _sums[block]) return false;
            bytes = bytes[length..];
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _handle.Dispose();
        _owner.OnClosed();
    }
}

/// <summary>The store, for its readers.</summary>
internal interface IDiskReaderOwner
{
    void OnFaulty(object entry);

    void OnClosed();
}
