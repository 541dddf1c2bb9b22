using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Caching;

/// <summary>
/// What is being fetched for a cache, by key: who comes first fetches, the others wait for what becomes of it. Thread-safe; its size is that of the requests under way.
/// </summary>
internal sealed class CacheFlights
{
    private readonly ConcurrentDictionary<UInt128, CacheFlight> _flights = new();

    /// <summary>Whether the caller is to fetch: then <see cref="CacheFlight.End"/> is owed, exactly once. Else the flight of whoever does.</summary>
    internal bool TryLead(UInt128 key, out CacheFlight flight)
    {
        if (_flights.TryGetValue(key, out CacheFlight? under))
        {
            flight = under;
            return false;
        }
        var own = new CacheFlight(this, key);
        flight = _flights.GetOrAdd(key, own);
        return flight == own;
    }

    /// <summary>How many wait for what others fetch.</summary>
    internal int WaitingCount => _flights.Values.Sum(flight => flight.WaitingCount);

    internal void Remove(CacheFlight flight) => _flights.TryRemove(new(flight.Key, flight));
}

/// <summary>One fetch, and who waits for it. Thread-safe.</summary>
internal sealed class CacheFlight(CacheFlights owner, UInt128 key)
{
    private readonly Lock _changing = new();
    private CacheWait? _first;
    private int _waiting;
    private bool _isOver;

    internal UInt128 Key => key;

    internal int WaitingCount => Volatile.Read(ref _waiting);

    /// <summary>Enters one who waits. False when it is over meanwhile, or too many wait.</summary>
    internal bool TryJoin(CacheWait wait, int waitingMax)
    {
        lock (_changing)
        {
            if (_isOver || _waiting >= waitingMax) return false;
            _waiting++;
            wait.Next = _first;
            if (_first is not null) _first.Previous = wait;
            _first = wait;
            wait.Flight = this;
            return true;
        }
    }

    /// <summary>The fetch is over; whatever became of it is in the store. Who waits goes on, each on its loop.</summary>
    /// <param name="isAbandoned">Whoever fetched has gone before anything came: one of those who wait is to take it up.</param>
    internal void End(bool isAbandoned = false)
    {
        owner.Remove(this); // first: who comes from here on looks into the store, or leads
        CacheWait? wait;
        lock (_changing)
        {
            _isOver = true;
            wait = _first;
            _first = null;
        }
        while (wait is not null)
        {
            CacheWait? next = wait.Next;
            wait.Next = wait.Previous = null;
            wait.IsAbandoned = isAbandoned;
            wait.Wake();
            wait = next;
        }
    }

    /// <summary>Takes one out that waits no longer. False when it is being woken already.</summary>
    internal bool TryLeave(CacheWait wait)
    {
        lock (_changing)
        {
            if (_isOver) return false;
            _waiting--;
            if (wait.Previous is { } previous) previous.Next = wait.Next;
            else _first = wait.Next;
            if (wait.Next is { } next) next.Previous = wait.Previous;
            wait.Next = wait.Previous = null;
            return true;
        }
    }
}

/// <summary>The place of one request in a flight. Awaited on its loop, where it goes on; used again and again, by one request at a time.</summary>
internal sealed class CacheWait(TransportLoop loop) : LoopWork, ICriticalNotifyCompletion
{
    private Action? _continuation;

    internal CacheWait? Next, Previous; // under the flight's lock
    internal CacheFlight? Flight;

    /// <summary>Whether the flight came to nothing, so that it is worth waiting for another.</summary>
    internal bool IsAbandoned;

    public bool IsCompleted => false;

    public CacheWait GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => _continuation = continuation;

    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    /// <summary>The flight is over. Any thread.</summary>
    internal void Wake() => loop.Post(this);

    /// <summary>Waits no longer; the awaiting code runs inside this call, unless it is being woken anyway. On the loop.</summary>
    internal void Leave()
    {
        if (Flight is { } flight && flight.TryLeave(this)) Execute();
    }

    protected internal override void Execute()
    {
        Flight = null;
        Action? continuation = _continuation;
        _continuation = null;
        continuation?.Invoke();
    }
}
