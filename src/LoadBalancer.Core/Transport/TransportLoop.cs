using System.Net;
using System.Runtime.ExceptionServices;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Timers;

namespace LoadBalancer.Core.Transport;

/// <summary>Work handed to a loop from another thread, or put off by the loop's own. Linked into the queue, so posting allocates nothing.</summary>
internal abstract class LoopWork
{
    internal LoopWork? NextWork;

    /// <summary>Runs on the loop's thread. An exception is a bug: it is logged loudly, and the loop goes on.</summary>
    protected internal abstract void Execute();
}

/// <summary>Takes over connections that a listener accepted. Called on the loop that owns the connection.</summary>
internal interface IConnectionHandler
{
    void OnAccepted(TransportConnection connection);
}

/// <summary>
/// One thread with its own sockets, timers and buffers: the unit that shares nothing. Everything but <see cref="Post"/>,
/// <see cref="Start"/> and <see cref="Stop"/> is called on that thread.
/// </summary>
internal abstract class TransportLoop
{
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly double _millisecondsPerTick;
    private List<TransportConnection> _deferred = [], _deferredSpare = [];

    protected TransportLoop(int index, TimeProvider time)
    {
        Index = index;
        _time = time;
        _origin = time.GetTimestamp();
        _millisecondsPerTick = 1000.0 / time.TimestampFrequency;
        Timers = new TimerWheel(0);
    }

    internal int Index { get; }

    internal TimerWheel Timers { get; }

    internal PreciseTimers PreciseTimers { get; } = new();

    internal SlabPool Slabs { get; } = new();

    internal TimeProvider Time => _time;

    /// <summary>Milliseconds since the loop was made, read once for each batch of events: the clock of <see cref="Timers"/>.</summary>
    internal long NowMilliseconds { get; private protected set; }

    /// <summary>Reads the clock anew into <see cref="NowMilliseconds"/>.</summary>
    internal void UpdateNow()
    {
        NowMilliseconds = (long)((_time.GetTimestamp() - _origin) * _millisecondsPerTick);
        if (Timers.IsEmpty) Timers.Advance(NowMilliseconds); // moves the hand over the time slept, so that new timers queue near it
        if (PreciseTimers.IsEmpty) PreciseTimers.Advance(NowMilliseconds);
    }

    // Awake: ticks for which it has waited. Waiting: these less what the clock was when that began, always negative, as nobody waits for longer than there is time. One word, so that whoever
    // reads it never sees a wait twice, or one that is half noted.
    private long _idle;
    private long _idleTold;

    /// <summary>Timestamp ticks for which it has waited for something to do, what goes on included: a wait may have no end. Never goes back. Any thread.</summary>
    internal long IdleTicks
    {
        get
        {
            while (true)
            {
                long idle = Volatile.Read(ref _idle), clock = Clock;
                if (idle >= 0) return Told(idle);
                // The clock was read during that wait, or during one that is as good: else the time awake between them would count.
                if (Volatile.Read(ref _idle) == idle) return Told(idle + clock);
            }
        }
    }

    // A wait that was over by its own clock when somebody counted it as going on was told as longer than it was.
    private long Told(long ticks)
    {
        while (true)
        {
            long told = Volatile.Read(ref _idleTold);
            if (ticks <= told) return told;
            if (Interlocked.CompareExchange(ref _idleTold, ticks, told) == told) return ticks;
        }
    }

    /// <summary>It is about to wait, and has waited: what <see cref="IdleTicks"/> is made of.</summary>
    private protected void BeginIdle() => Volatile.Write(ref _idle, _idle - Clock);

    private protected void EndIdle() => Volatile.Write(ref _idle, _idle + Clock);

    private long Clock => _time.GetTimestamp() - _origin + 1;

    /// <summary>Whether the caller is the loop's thread.</summary>
    internal abstract bool IsCurrent { get; }

    /// <summary>Told of exceptions that reached the loop: bugs, to be logged loudly. The loop goes on.</summary>
    internal Action<Exception>? UnhandledException { get; set; }

    /// <summary>Work posted to this loop.</summary>
    private protected LoopWorkQueue Work { get; } = new();

    /// <summary>Starts the thread.</summary>
    internal abstract void Start();

    /// <summary>Ends the thread after closing listeners and aborting connections; returns when it is gone. Any thread but the loop's.</summary>
    internal abstract void Stop();

    /// <summary>Queues work for the loop's thread and wakes it. Any thread.</summary>
    internal abstract void Post(LoopWork work);

    private protected void RunWork()
    {
        LoopWork? work = Work.TakeAll();
        while (work is not null)
        {
            LoopWork? next = work.NextWork;
            work.NextWork = null;
            try
            {
                work.Execute();
            }
            catch (Exception e)
            {
                Report(e);
            }
            work = next;
        }
    }

    private protected bool HasDeferred => _deferred.Count > 0;

    /// <summary>Has <see cref="TransportConnection.OnDeferred"/> called at the end of the turn, once however often it is asked for.</summary>
    internal void Defer(TransportConnection connection)
    {
        if (connection.IsDeferred) return;
        connection.IsDeferred = true;
        _deferred.Add(connection);
    }

    private protected void RunDeferred()
    {
        if (_deferred.Count == 0) return;
        (_deferred, _deferredSpare) = (_deferredSpare, _deferred); // what is put off meanwhile is the next turn's
        foreach (TransportConnection connection in _deferredSpare)
        {
            connection.IsDeferred = false;
            try
            {
                connection.OnDeferred();
            }
            catch (Exception e)
            {
                Report(e);
            }
        }
        _deferredSpare.Clear();
    }

    /// <summary>How long the loop may sleep, in milliseconds, by its timers; -1 without limit.</summary>
    private protected int TimerTimeoutMilliseconds()
    {
        int timeout = Timers.IsEmpty ? -1 : TimerWheel.TickMilliseconds - (int)(NowMilliseconds % TimerWheel.TickMilliseconds);
        return PreciseTimers.IsEmpty ? timeout : PreciseTimers.MillisecondsToNext(timeout < 0 ? TimerWheel.TickMilliseconds : timeout);
    }

    private protected void RunTimers()
    {
        try
        {
            Timers.Advance(NowMilliseconds);
            PreciseTimers.Advance(NowMilliseconds);
        }
        catch (Exception e)
        {
            Report(e); // the timers left in that slot fire on the next turn of the wheel
        }
    }

    /// <summary>A bug, never to be swallowed: without a hook it ends the process as any unhandled exception does.</summary>
    private protected void Report(Exception exception)
    {
        if (UnhandledException is not { } hook) ExceptionDispatchInfo.Throw(exception);
        else hook(exception);
    }

    /// <summary>An unconnected connection to <paramref name="endPoint"/> (an <see cref="IPEndPoint"/> or a Unix socket's).</summary>
    internal abstract TransportConnection CreateOutbound(EndPoint endPoint);

    /// <summary>Begins accepting from a bound listener on this loop.</summary>
    internal abstract void StartAccepting(TransportListener listener, IConnectionHandler handler);

    /// <summary>Stops accepting from a listener on this loop; connections live on.</summary>
    internal abstract void StopAccepting(TransportListener listener);
}

/// <summary>A bound, listening address. Bound once before the loops start, so that a port in use is known at start-up.</summary>
internal abstract class TransportListener : IDisposable
{
    /// <summary>The address it is bound to, with the real port where 0 was asked.</summary>
    internal abstract EndPoint LocalEndPoint { get; }

    /// <summary>Open connections accepted from this listener over all loops, and the most allowed (0 for no limit).</summary>
    internal int ConnectionsMax;
    internal int ConnectionCount;

    /// <summary>Connections refused because <see cref="ConnectionsMax"/> was reached, and accepts that failed for want of descriptors or memory.</summary>
    internal long RefusedCount, AcceptErrorCount;

    /// <summary>Goes by other options from the next connection on: queue, keep-alive and limit. What the address itself is about stays.</summary>
    internal virtual void Apply(ListenOptions options) => Volatile.Write(ref ConnectionsMax, options.ConnectionsMax);

    /// <summary>The process that handed the socket over has left: the file of a Unix socket goes with this listener from here on, and not before, as that process serves on where this one fails.</summary>
    internal abstract void Claim();

    public abstract void Dispose();
}

/// <summary>How a listener's sockets are set up.</summary>
/// <param name="EndPoint">An <see cref="IPEndPoint"/> or a Unix socket's endpoint.</param>
/// <param name="Backlog">Length of the accept queue.</param>
/// <param name="DualStack">For an IPv6 address: whether IPv4 clients are served too.</param>
/// <param name="KeepAlive">Idle time before TCP keep-alive probes; zero for none.</param>
/// <param name="ConnectionsMax">Most open connections; 0 for no limit.</param>
/// <param name="FileMode">Who may connect to a Unix socket; null for what the umask leaves.</param>
internal sealed record ListenOptions(EndPoint EndPoint, int Backlog, bool DualStack, TimeSpan KeepAlive, int ConnectionsMax, UnixFileMode? FileMode = null);

/// <summary>A way to reach the network: makes loops and listeners that belong together.</summary>
internal abstract class TransportFactory
{
    internal abstract string Name { get; }

    internal static TransportFactory Create(TransportKind kind) => kind switch
    {
        TransportKind.Auto or TransportKind.Epoll when Epoll.EpollTransportFactory.IsSupported => new Epoll.EpollTransportFactory(),
        TransportKind.Epoll => throw new PlatformNotSupportedException("the epoll transport needs Linux; use \"sockets\" or \"auto\""),
        _ => new Sockets.SocketsTransportFactory(),
    };

    internal abstract TransportLoop CreateLoop(int index, TimeProvider time);

    /// <summary>Binds an address for use by <paramref name="loopCount"/> loops.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be bound.</exception>
    internal abstract TransportListener Bind(ListenOptions options, int loopCount);
}
