using System.Buffers;
using System.Runtime.InteropServices;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>
/// Writes one object while its answer arrives: <see cref="TryAppend"/> copies into blocks, which a thread of the pool writes in order; nothing waits for the disk but who asks
/// to (<see cref="IsBehind"/>). Ends with <see cref="CompleteAsync"/> and <see cref="DiskStore{THead}.Publish"/>, or with <see cref="Abandon"/>; until then there is only a
/// file without a name of its own. One owner. Never throws for what a disk does.
/// </summary>
public sealed class DiskWriter<THead>
    where THead : class
{
    // Half a megabyte behind, who appends should wait; twice that, the disk is too slow for this object.
    private const int BehindBlocks = 8, BlocksMax = 16;

    private readonly DiskStore<THead> _store;
    private readonly byte[] _meta;
    private readonly int _tagsLength, _headLength;
    private readonly long _lengthKnown;
    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Block, int Length)> _blocks = new();
    private readonly TaskCompletionSource<bool> _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<uint> _sums = [];
    private TaskCompletionSource? _caughtUp;
    private FileStream? _stream;
    private DiskFile? _file;
    private byte[]? _open;
    private int _openLength;
    private bool _isRunning, _isCompleting, _isAbandoned, _isClosed; // under the lock

    internal DiskWriter(DiskStore<THead> store, long sequence, UInt128 hash, byte[] key, THead head, IReadOnlyList<string> tags, long keepUntil, long length, byte[] meta, int tagsLength, int headLength)
    {
        _store = store;
        Sequence = sequence;
        Hash = hash;
        Key = key;
        Head = head;
        Tags = tags;
        KeepUntil = keepUntil;
        _lengthKnown = length;
        _meta = meta;
        _tagsLength = tagsLength;
        _headLength = headLength;
    }

    internal long Sequence { get; }

    internal UInt128 Hash { get; }

    internal byte[] Key { get; }

    internal THead Head { get; }

    internal IReadOnlyList<string> Tags { get; }

    internal long KeepUntil { get; }

    /// <summary>The finished file, once: from <see cref="CompleteAsync"/> on.</summary>
    internal DiskFile? TakeFile()
    {
        lock (_gate)
        {
            DiskFile? file = _file;
            _file = null;
            return file;
        }
    }

    /// <summary>Bytes appended.</summary>
    public long Length { get; private set; }

    /// <summary>The disk is slower than what arrives: wait for <see cref="CaughtUpAsync"/> before more is appended, else the object may be given up.</summary>
    public bool IsBehind
    {
        get
        {
            lock (_gate) return _blocks.Count >= BehindBlocks && !_isAbandoned;
        }
    }

    /// <summary>Ends when the disk has caught up, or the object was given up.</summary>
    public Task CaughtUpAsync()
    {
        lock (_gate) return _blocks.Count < BehindBlocks || _isAbandoned ? Task.CompletedTask : (_caughtUp ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    /// <summary>Appends a copy. False when the object is given up: too long, longer than was said, the disk too slow or failing. Every further call says false.</summary>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        long lengthMax = _lengthKnown >= 0 ? Math.Min(_lengthKnown, _store.ObjectBytesMax) : _store.ObjectBytesMax;
        if (bytes.Length > lengthMax - Length)
        {
            Abandon();
            return false;
        }
        while (!bytes.IsEmpty)
        {
            _open ??= ArrayPool<byte>.Shared.Rent(DiskHeader.BlockBytes);
            int part = Math.Min(bytes.Length, DiskHeader.BlockBytes - _openLength);
            bytes[..part].CopyTo(_open.AsSpan(_openLength));
            bytes = bytes[part..];
            _openLength += part;
            Length += part;
            if (_openLength == DiskHeader.BlockBytes && !PassOn()) return false;
        }
        lock (_gate) return !_isAbandoned;
    }

    private bool PassOn()
    {
        (byte[] Block, int Length) block = (_open!, _openLength);
        _open = null;
        _openLength = 0;
        lock (_gate)
        {
            if (_isAbandoned || _blocks.Count >= BlocksMax)
            {
                ArrayPool<byte>.Shared.Return(block.Block);
            }
            else
            {
                _blocks.Enqueue(block);
                Start();
                return true;
            }
        }
        Abandon();
        return false;
    }

    /// <summary>Ends the body, and waits until the file is whole and has its name. False when there is none; true: <see cref="DiskStore{THead}.Publish"/> is called next.</summary>
    public Task<bool> CompleteAsync()
    {
        if (_lengthKnown >= 0 && Length != _lengthKnown) Abandon();
        else if (_openLength > 0) PassOn();
        lock (_gate)
        {
            _isCompleting = true;
            Start();
        }
        return _completed.Task;
    }

    /// <summary>Gives it up; nothing stays on disk. After <see cref="DiskStore{THead}.Publish"/> it does nothing.</summary>
    public void Abandon()
    {
        if (_open is not null) ArrayPool<byte>.Shared.Return(_open);
        _open = null;
        _openLength = 0;
        DiskFile? finished;
        lock (_gate)
        {
            finished = _file;
            _file = null;
            _isAbandoned = true;
            Start();
        }
        finished?.Delete();
    }

    // Under the lock.
    private void Start()
    {
        if (_isRunning || _isClosed) return;
        _isRunning = true;
        ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.Run(), this, preferLocal: false);
    }

    /// <summary>On one thread of the pool at a time: writes what there is, then what ends it.</summary>
    private void Run()
    {
        while (true)
        {
            (byte[]? Block, int Length) block = default;
            bool isLast = false;
            TaskCompletionSource? caughtUp = null;
            lock (_gate)
            {
                if (_isAbandoned)
                {
                    while (_blocks.TryDequeue(out (byte[] Block, int Length) unwritten)) ArrayPool<byte>.Shared.Return(unwritten.Block);
                    isLast = true;
                }
                else if (!_blocks.TryDequeue(out block!))
                {
                    isLast = _isCompleting;
                    if (!isLast)
                    {
                        _isRunning = false;
                        return;
                    }
                }
                if (_blocks.Count <= BehindBlocks / 2)
                {
                    caughtUp = _caughtUp;
                    _caughtUp = null;
                }
            }
            caughtUp?.SetResult();
            if (isLast)
            {
                End();
                return;
            }
            Write(block.Block!, block.Length);
        }
    }

    private void Write(byte[] block, int length)
    {
        try
        {
            FileStream stream = _stream ??= Begin();
            stream.Write(block, 0, length);
            _sums.Add(DiskHeader.Checksum(block.AsSpan(0, length)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private FileStream Begin()
    {
        FileStream stream = _store.Folder.CreateUnfinished(Sequence);
        _stream = stream; // so that it is closed and deleted when the next line fails
        stream.Position = DiskHeader.Length;
        stream.Write(_meta);
        return stream;
    }

    private void Fail(Exception e)
    {
        _store.Folder.NoteFault($"cannot write an object: {e.Message}");
        lock (_gate) _isAbandoned = true;
    }

    private void End()
    {
        DiskFile? file = null;
        bool isAbandoned;
        lock (_gate) isAbandoned = _isAbandoned;
        try
        {
            if (!isAbandoned) file = Finish();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e);
        }
        if (_stream is not null && file is null)
        {
            try
            {
                _stream.Dispose();
            }
            catch (IOException)
            {
                // It is deleted anyway.
            }
            _store.Folder.DeleteUnfinished(Sequence);
        }
        lock (_gate)
        {
            // Given up while the last bytes were written.
            if (file is not null && _isAbandoned) file.Delete();
            else _file = file;
            _isRunning = false;
            _isClosed = true;
            file = _file;
        }
        _store.EndWriter();
        _completed.SetResult(file is not null);
    }

    // The header comes last: a file without it is none, whatever else is there.
    private DiskFile Finish()
    {
        FileStream stream = _stream ??= Begin();
        byte[] table = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_sums)).ToArray();
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("the disk store is for little-endian machines");
        stream.Write(table);
        var header = new DiskHeader(Sequence, KeepUntil, Key.Length, _tagsLength, _headLength, DiskHeader.Checksum(_meta), Length, DiskHeader.Checksum(table));
        Span<byte> bytes = stackalloc byte[DiskHeader.Length];
        header.Write(bytes);
        stream.Position = 0;
        stream.Write(bytes);
        if (_store.Flushes) stream.Flush(flushToDisk: true);
        stream.Dispose();
        string path = _store.Folder.Finish(Sequence, Key);
        _store.Folder.NoteSuccess();
        return new(_store.Folder, path, header);
    }
}
