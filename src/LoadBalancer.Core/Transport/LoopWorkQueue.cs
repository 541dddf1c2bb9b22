namespace LoadBalancer.Core.Transport;

/// <summary>
/// Work posted to one loop: any thread pushes, the loop's thread takes everything at once. A stack of intrusively linked items,
/// reversed by the taker, because a single exchange then empties it and pushing needs no node of its own. No ABA: the taker
/// never compares, it only exchanges. An item may be posted again once it has been taken and its link read, which is before it executes.
/// </summary>
internal sealed class LoopWorkQueue
{
    private LoopWork? _newest;

    /// <summary>Whether nothing waits. Exact on the taking thread only in the sense that a later push is reported to its pusher.</summary>
    internal bool IsEmpty => Volatile.Read(ref _newest) is null;

    /// <summary>
    /// Hot path: per post. 0 allocations. Any thread. The item must not be in a queue already.
    /// True when the queue was empty: then, and only then, the pusher has to wake the loop.
    /// </summary>
    internal bool Push(LoopWork work)
    {
        LoopWork? newest = Volatile.Read(ref _newest);
        while (true)
        {
            work.NextWork = newest;
            LoopWork? seen = Interlocked.CompareExchange(ref _newest, work, newest);
            if (ReferenceEquals(seen, newest)) return newest is null;
            newest = seen;
        }
    }

    /// <summary>
    /// Everything posted so far as a chain in order of posting, or null. The loop's thread only. Read and clear
    /// <see cref="LoopWork.NextWork"/> before executing an item, as executing may post it again.
    /// </summary>
    internal LoopWork? TakeAll()
    {
        if (Volatile.Read(ref _newest) is null) return null;
        LoopWork? item = Interlocked.Exchange(ref _newest, null), oldest = null;
        while (item is not null)
        {
            LoopWork? next = item.NextWork;
            item.NextWork = oldest;
            oldest = item;
            item = next;
        }
        return oldest;
    }
}
