using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Disk;

namespace LoadBalancer.Core.Caching;

/// <summary>
/// Where the body of an answer is kept while it is relayed: in memory, or, where it is longer than goes there, on disk. One of unknown length begins in memory, and moves when it
/// has grown out of it.
/// </summary>
internal sealed class BodyCapture
{
    private readonly CacheFetch _fetch;
    private readonly ResponseStore _store;
    private readonly byte[] _key;
    private readonly StoredHead _head;
    private bool _isGivenUp;

    internal BodyCapture(CacheFetch fetch, byte[] key, StoredHead head, long length)
    {
        _fetch = fetch;
        _store = fetch.Store;
        _key = key;
        _head = head;
        if (length <= _store.MemoryBodyBytesMax) Memory = StoredBody.Create(_store.Memory.Memory, _store.MemoryBodyBytesMax, length);
        else if ((Disk = Begin(length)) is null) GiveUp(StoreVerdict.NotAdmitted);
    }

    internal StoredBody? Memory { get; private set; }

    internal DiskWriter<StoredHead>? Disk { get; private set; }

    internal long Length => Memory?.Length ?? Disk?.Length ?? 0;

    /// <summary>The disk is slower than what arrives: more is best appended after <see cref="DiskWriter{THead}.CaughtUpAsync"/>.</summary>
    internal bool IsBehind => Disk is { IsBehind: true };

    /// <summary>Copies some of it. What cannot be kept is given up, without a word: the answer goes on.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        if (_isGivenUp || bytes.IsEmpty) return;
        if (Memory is { } memory)
        {
            if (memory.LengthKnown < 0 && memory.Length + bytes.Length > _store.MemoryBodyBytesMax && _store.Disk is not null)
            {
                Move(memory);
                Append(bytes);
                return;
            }
            if (!memory.TryAppend(bytes)) GiveUp(memory.Length + bytes.Length > _store.MemoryBodyBytesMax ? StoreVerdict.BodyTooLarge : StoreVerdict.NotAdmitted);
        }
        else if (Disk is null || !Disk.TryAppend(bytes)) GiveUp(StoreVerdict.NotAdmitted);
    }

    private void Move(StoredBody memory)
    {
        Memory = null;
        Disk = Begin(-1);
        for (long at = 0; at < memory.Length && Disk is not null;)
        {
            ReadOnlyMemory<byte> piece = memory.Slice(at);
            at += piece.Length;
            if (!Disk.TryAppend(piece.Span)) break;
        }
        memory.Abandon();
        memory.Release();
    }

    private DiskWriter<StoredHead>? Begin(long length) => _store.Disk?.TryBegin(_key, _head, _head.Tags, CacheFetch.KeepUntil(_head), length, out _);

    // At once: the answer may go on for hours.
    private void GiveUp(StoreVerdict verdict)
    {
        _isGivenUp = true;
        End();
        _fetch.OnCaptureGivenUp(verdict);
    }

    /// <summary>Throws away what <see cref="CacheFetch.Complete"/> has not taken.</summary>
    internal void End()
    {
        if (Memory is { } memory)
        {
            if (!memory.IsSealed) memory.Abandon();
            memory.Release();
            Memory = null;
        }
        Disk?.Abandon();
        Disk = null;
    }

    /// <summary>Takes the writer out: somebody else ends it.</summary>
    internal DiskWriter<StoredHead>? TakeDisk()
    {
        DiskWriter<StoredHead>? disk = _isGivenUp ? null : Disk;
        if (disk is not null) Disk = null;
        return disk;
    }
}
