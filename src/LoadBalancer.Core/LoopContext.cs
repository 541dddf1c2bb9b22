using System.Runtime.CompilerServices;
using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Metrics;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core;

/// <summary>What one loop owns above the transport: upstream pools, pooled exchanges, its connections, the Date header. Its thread only.</summary>
internal sealed class LoopContext
{
    private const int ExchangesKeptMax = 1024;
    private readonly List<UpstreamPool> _pools = [];
    private Exchange? _freeExchanges;
    private int _freeExchangeCount;
    private readonly byte[] _dateLine = Encoding.ASCII.GetBytes("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    private long _dateSecond = -1;
    private ClientConnection? _firstConnection;
    private long _unixAskAt = long.MinValue, _unixOrigin;
    private readonly CompletionRecord _connectionRecord = new();

    internal LoopContext(ProxyServer server, TransportLoop loop, int loopCount)
    {
        Server = server;
        Loop = loop;
        LoopCount = loopCount;
        Observer = server.Observer;
        Detached = new DetachedSet(this);
        Traffic = new LoopTraffic(loop.Time);
    }

    internal ProxyServer Server { get; }
    internal TransportLoop Loop { get; }
    internal int LoopCount { get; }
    internal ICompletionObserver? Observer { get; set; }
    internal Random Random { get; } = new();
    internal DetachedSet Detached { get; }
    internal LoopTraffic Traffic { get; }
    internal bool IsDraining { get; private set; }
    internal bool IsDrainReported { get; set; }
    internal int ConnectionCount { get; private set; }

    /// <summary>The newest connection; the others follow by <see cref="ClientConnection.NextOpen"/>.</summary>
    internal ClientConnection? FirstConnection => _firstConnection;

    /// <summary>Makes the pool of a destination; it is in the list until the destination leaves its cluster.</summary>
    internal UpstreamPool AddPool(DestinationState destination)
    {
        var pool = new UpstreamPool(this, destination);
        _pools.Add(pool);
        return pool;
    }

    internal void RemovePool(UpstreamPool pool) => _pools.Remove(pool);

    internal Exchange LeaseExchange()
    {
        Exchange? exchange = _freeExchanges;
        if (exchange is null) return new Exchange(this);
        _freeExchanges = exchange.NextFree;
        _freeExchangeCount--;
        return exchange;
    }

    internal void ReturnExchange(Exchange exchange)
    {
        if (_freeExchangeCount == ExchangesKeptMax)
        {
            Loop.Timers.Remove(exchange);
            return;
        }
        _freeExchangeCount++;
        exchange.NextFree = _freeExchanges;
        _freeExchanges = exchange;
    }

    /// <summary>Milliseconds since the Unix epoch, as exact as the loop's clock.</summary>
    internal long UnixMilliseconds
    {
        get
        {
            // Asked anew once a second: whoever sets the clock is followed.
            if (Loop.NowMilliseconds >= _unixAskAt)
            {
                _unixAskAt = Loop.NowMilliseconds + 1000;
                _unixOrigin = Loop.Time.GetUtcNow().ToUnixTimeMilliseconds() - Loop.NowMilliseconds;
            }
            return _unixOrigin + Loop.NowMilliseconds;
        }
    }

    /// <summary>"Date: …\r\n" of the current second (RFC 9110 §6.6.1).</summary>
    internal ReadOnlySpan<byte> DateLine
    {
        get
        {
            long second = Loop.NowMilliseconds / 1000;
            if (second != _dateSecond)
            {
                _dateSecond = second;
                Loop.Time.GetUtcNow().UtcDateTime.TryFormat(_dateLine.AsSpan(6), out _, "R");
            }
            return _dateLine;
        }
    }

    internal void Add(ClientConnection connection)
    {
        ConnectionCount++;
        connection.Listener.State.NoteOpen(Loop.Index, 1);
        connection.NextOpen = _firstConnection;
        if (_firstConnection is not null) _firstConnection.PreviousOpen = connection;
        _firstConnection = connection;
    }

    /// <summary>Tells the observer of a connection that ended before its first request.</summary>
    internal void RecordConnection(ListenerSnapshot listener, PeerAddress client, in Admission admission, EndReason reason)
    {
        if (Observer is null)
        {
            Traffic.NoteEnd(reason);
            return;
        }
        CompletionRecord record = BeginConnectionRecord(listener, client);
        admission.NoteIn(record);
        record.Reason = reason;
        Tell(record);
    }

    /// <summary>The record of a connection that ends before its first request, if it does: to be told at once, as there is one only.</summary>
    internal CompletionRecord BeginConnectionRecord(ListenerSnapshot listener, PeerAddress client)
    {
        CompletionRecord record = _connectionRecord;
        record.Reset();
        (record.Listener, record.Client, record.StartTimestamp) = (listener.Name, client, Loop.Time.GetTimestamp());
        return record;
    }

    /// <summary>Counts how an attempt has ended, before its pick is completed.</summary>
    internal void NoteAttempt(in PickLease lease, in PickOutcome outcome) => ((DestinationState)lease.Destination.Tag!).CountsOf(this).Note(outcome, Traffic.Bounds);

    /// <summary>Hands a record to the observer. What that throws is the fault of code that is not ours: it is logged, and nothing else comes of it.</summary>
    internal void Tell(CompletionRecord record)
    {
        Traffic.NoteEnd(record.Reason);
        try
        {
            Observer?.OnCompleted(record);
        }
        catch (Exception e)
        {
            Server.OnInternalError(e);
        }
    }

    /// <summary>Requests that came to no cluster; null before the first.</summary>
    internal RecentRing? RecentUnrouted { get; private set; }

    /// <summary>Keeps a record that was told, so that it can be looked at; gives another in its place.</summary>
    // Hot path: per request.
    internal CompletionRecord Keep(ClusterSnapshot? cluster, CompletionRecord record)
    {
        RecentRing ring = (cluster is null ? RecentUnrouted : cluster.Recent[Loop.Index]) ?? AddRing(cluster);
        CompletionRecord other = ring.Put(record);
        if (cluster is not null && ring.IsBurst(record, Loop.Time.TimestampFrequency)) TellBurst(cluster, ring);
        return other;
    }

    // Out of line: whoever completes a request, perhaps without a descriptor left, is compiled without the assemblies that this needs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TellBurst(ClusterSnapshot cluster, RecentRing ring)
    {
        try
        {
            BurstReport.TryBegin(this, cluster, ring);
        }
        catch (Exception e)
        {
            Server.OnInternalError(e); // the request is over: it does not suffer from what is told of it
        }
    }

    private RecentRing AddRing(ClusterSnapshot? cluster)
    {
        var ring = new RecentRing(RecentRing.CapacityOf(Server.Snapshot.Config.RecentRequests, LoopCount));
        if (cluster is null) RecentUnrouted = ring;
        else cluster.Recent[Loop.Index] = ring;
        return ring;
    }

    internal void Remove(ClientConnection connection)
    {
        ConnectionCount--;
        connection.Listener.State.NoteOpen(Loop.Index, -1);
        if (connection.PreviousOpen is { } previous) previous.NextOpen = connection.NextOpen;
        else _firstConnection = connection.NextOpen;
        if (connection.NextOpen is { } next) next.PreviousOpen = connection.PreviousOpen;
        connection.NextOpen = connection.PreviousOpen = null;
        if (IsDraining && ConnectionCount == 0) EndDrain();
    }

    // The last client has gone: what no client waits for is not waited for.
    private void EndDrain()
    {
        Detached.Cut();
        if (Detached.IsEmpty) Server.LoopDrained(this);
    }

    internal void OnDetachedEnded()
    {
        if (IsDraining && ConnectionCount == 0 && Detached.IsEmpty) Server.LoopDrained(this);
    }

    /// <summary>Listeners were replaced: connections that wait for a request go by the new ones, or end where theirs is gone.</summary>
    internal void FollowListeners()
    {
        for (ClientConnection? connection = _firstConnection; connection is not null;)
        {
            ClientConnection? next = connection.NextOpen;
            connection.OnListenersReplaced();
            connection = next;
        }
    }

    /// <summary>Every connection ends with its next answer; what is idle is left alone meanwhile.</summary>
    internal void BeginLeaving()
    {
        IsDraining = true;
        if (ConnectionCount == 0) EndDrain();
    }

    /// <summary>Idle connections end now, the others with their current answer.</summary>
    internal void Drain()
    {
        BeginLeaving();
        for (ClientConnection? connection = _firstConnection; connection is not null;)
        {
            ClientConnection? next = connection.NextOpen;
            connection.OnDrain();
            connection = next;
        }
        foreach (UpstreamPool pool in _pools) pool.Clear();
    }

    /// <summary>The drain limit has passed: every connection is cut.</summary>
    internal void Cut()
    {
        Detached.Cut();
        for (ClientConnection? connection = _firstConnection; connection is not null;)
        {
            ClientConnection? next = connection.NextOpen;
            connection.Fail(EndReason.Shutdown);
            connection = next;
        }
    }
}
