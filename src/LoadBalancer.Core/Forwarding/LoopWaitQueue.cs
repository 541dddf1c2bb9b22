using System.Runtime.CompilerServices;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Forwarding;

/// <summary>The requests of one loop in a <see cref="WaitQueue"/>, linked through themselves. The loop's thread, but for <see cref="Count"/> and <see cref="Wake"/>.</summary>
internal sealed class LoopWaitQueue(WaitQueue owner, TransportLoop loop) : LoopWork
{
    private PickOwner? _first, _last;
    private int _count;
    private int _isPosted;

    /// <summary>How many wait here. Any thread, as a hint.</summary>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>Has the loop serve, at the end of its turn, as many as find a destination. Any thread.</summary>
    internal void Wake()
    {
        if (Interlocked.Exchange(ref _isPosted, 1) == 0) loop.Post(this);
    }

    /// <summary>Waits in line, unless first and served at once.</summary>
    internal Turn EnterAsync(PickOwner exchange)
    {
        exchange.Queue = this;
        exchange.PreviousQueued = _last;
        if (_last is null) _first = exchange;
        else _last.NextQueued = exchange;
        _last = exchange;
        Interlocked.Increment(ref _count); // a full fence before the pick: see the remarks of WaitQueue
        if (exchange == _first && exchange.PickNow()) Remove(exchange);
        return new Turn(exchange);
    }

    /// <summary>Takes a request out that has ended otherwise; it goes on inside this call.</summary>
    internal void Leave(PickOwner exchange)
    {
        Remove(exchange);
        Resume(exchange);
    }

    protected internal override void Execute()
    {
        Interlocked.Exchange(ref _isPosted, 0); // what is freed from here on posts again
        while (_first is { } exchange)
        {
            if (!exchange.PickNow()) return; // all taken again: the next completion wakes
            Remove(exchange);
            Resume(exchange);
        }
        owner.Freed();
    }

    private void Remove(PickOwner exchange)
    {
        if (exchange.PreviousQueued is { } previous) previous.NextQueued = exchange.NextQueued;
        else _first = exchange.NextQueued;
        if (exchange.NextQueued is { } next) next.PreviousQueued = exchange.PreviousQueued;
        else _last = exchange.PreviousQueued;
        exchange.NextQueued = exchange.PreviousQueued = null;
        exchange.Queue = null;
        Interlocked.Decrement(ref _count);
        owner.Uncount();
    }

    private static void Resume(PickOwner exchange)
    {
        Action? continuation = exchange.AfterQueue;
        exchange.AfterQueue = null;
        continuation?.Invoke();
    }

    /// <summary>The wait; what follows runs inline on the loop.</summary>
    internal readonly struct Turn(PickOwner exchange) : ICriticalNotifyCompletion
    {
        public Turn GetAwaiter() => this;

        public bool IsCompleted => exchange.Queue is null;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => exchange.AfterQueue = continuation;

        public void UnsafeOnCompleted(Action continuation) => exchange.AfterQueue = continuation;
    }
}
