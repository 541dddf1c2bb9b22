namespace LoadBalancer.Core.Transport;

/// <summary>Work posted to a loop: many producers, the loop takes everything at once. An intrusive stack that the taker reverses.</summary>
internal sealed class LoopWorkQueue
{
    private LoopWork? _head;

    internal bool IsEmpty => Volatile.Read(ref _head) is null;

    /// <summary>Any thread. True when the queue was empty, so that the loop must be woken.</summary>
    internal bool Push(LoopWork work)
    {
        LoopWork? head = Volatile.Read(ref _head);
        while (true)
        {
            work.NextWork = head;
            LoopWork? seen = Interlocked.CompareExchange(ref _head, work, head);
            if (ReferenceEquals(seen, head)) return head is null;
            head = seen;
        }
    }

    /// <summary>The loop's thread. The chain, linked by <see cref="LoopWork.NextWork"/>, in the order pushed.</summary>
    internal LoopWork? TakeAll()
    {
        if (Volatile.Read(ref _head) is null) return null;
        LoopWork? work = Interlocked.Exchange(ref _head, null);
        LoopWork? first = null;
        while (work is not null)
        {
            LoopWork? next = work.NextWork;
            work.NextWork = first;
            first = work;
            work = next;
        }
        return first;
    }
}
