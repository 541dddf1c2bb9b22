using System.Net;
using LoadBalancer.Core.Timers;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>One thread that sleeps on its work queue: completions of socket operations and posted work arrive there alike.</summary>
internal sealed class SocketsLoop : TransportLoop
{
    private const int StopTurnsMax = 16;

    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);
    private readonly Thread _thread;
    private readonly bool _systemTime;
    private readonly List<SocketsAcceptor> _acceptors = [];
    private SocketsConnection? _connections;
    private ITimer? _ticker;
    private bool _stopping;

    internal SocketsLoop(int index, TimeProvider time) : base(index, time)
    {
        _systemTime = ReferenceEquals(time, TimeProvider.System);
        _thread = new Thread(Run) { IsBackground = true, Name = $"lb loop {index}" };
    }

    internal override bool IsCurrent => Thread.CurrentThread == _thread;

    internal override void Start()
    {
        // Injected time moves by itself only when told to: its own timer makes the loop look.
        var tick = TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds);
        if (!_systemTime) _ticker = Time.CreateTimer(_ => _wake.Set(), null, tick, tick);
        _thread.Start();
    }

    internal override void Stop()
    {
        Volatile.Write(ref _stopping, true);
        _wake.Set();
        if (_thread.IsAlive && !IsCurrent) _thread.Join();
        _ticker?.Dispose();
    }

    // Hot path: per completion. 0 allocations.
    internal override void Post(LoopWork work)
    {
        if (Work.Push(work) && !IsCurrent) _wake.Set();
    }

    internal override TransportConnection CreateOutbound(EndPoint endPoint) => new SocketsConnection(this, endPoint);

    internal override void StartAccepting(TransportListener listener, IConnectionHandler handler)
    {
        foreach (SocketsAcceptor acceptor in _acceptors)
        {
            if (acceptor.Listener != listener) continue;
            acceptor.Start(handler);
            return;
        }
        var added = new SocketsAcceptor(this, (SocketsListener)listener);
        _acceptors.Add(added);
        added.Start(handler);
    }

    internal override void StopAccepting(TransportListener listener)
    {
        foreach (SocketsAcceptor acceptor in _acceptors)
        {
            if (acceptor.Listener == listener) acceptor.Stop();
        }
        _acceptors.RemoveAll(static acceptor => acceptor.IsFinished);
    }

    /// <summary>Notes a connection that has a socket, to be aborted on <see cref="Stop"/>.</summary>
    internal void Add(SocketsConnection connection)
    {
        connection.Next = _connections;
        if (_connections is not null) _connections.Previous = connection;
        _connections = connection;
    }

    internal void Remove(SocketsConnection connection)
    {
        if (connection.Previous is { } previous) previous.Next = connection.Next;
        else if (_connections == connection) _connections = connection.Next;
        if (connection.Next is { } next) next.Previous = connection.Previous;
        connection.Next = connection.Previous = null;
    }

    private void Run()
    {
        while (!Volatile.Read(ref _stopping))
        {
            int timeout = TimeoutMilliseconds();
            BeginIdle();
            _wake.Wait(timeout);
            EndIdle();
            // Before looking: what is posted after this wakes the next wait, what was posted before is seen below.
            _wake.Reset();
            UpdateNow();
            RunWork();
            RunTimers();
            RunDeferred();
        }
        CloseAll();
    }

    private int TimeoutMilliseconds()
    {
        if (HasDeferred || !Work.IsEmpty) return 0;
        if (!_systemTime || (Timers.IsEmpty && PreciseTimers.IsEmpty)) return Timeout.Infinite;
        UpdateNow();
        return TimerTimeoutMilliseconds();
    }

    private void CloseAll()
    {
        foreach (SocketsAcceptor acceptor in _acceptors) acceptor.Close();
        _acceptors.Clear();
        // Handlers see their connections aborted and end; a few turns let what they start in doing so end too.
        for (int turn = 0; turn < StopTurnsMax; turn++)
        {
            bool idle = _connections is null && Work.IsEmpty && !HasDeferred;
            if (idle) break;
            while (_connections is { } connection)
            {
                connection.Abort(); // takes it off the list
                connection.Observer?.OnConnectionEvent(readable: false, broken: true);
            }
            RunWork();
            RunDeferred();
        }
    }
}
