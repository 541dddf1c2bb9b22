using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>What the exchange's timer guards. The upload of a streamed body has the connection's own timer.</summary>
internal enum ExchangePhase : byte
{
    None,
    /// <summary>Waiting for a destination that is not at its limit.</summary>
    Queue,
    Connect,
    ResponseHead,
    ResponseBody,
    ClientWrite,
    Tunnel,
    /// <summary>The route's deadline while no other limit runs.</summary>
    Deadline,
}

/// <summary>
/// One request and its answer, from the first byte of its head to its completion record. Pooled by the loop, so a connection that
/// waits for its next request holds none. Its timer guards the answering direction.
/// </summary>
internal sealed class Exchange(LoopContext context) : LoopTimer
{
    private Slab? _headCopy;
    private byte[]? _path;

    internal readonly LoopContext Context = context;
    internal readonly RequestHead Request = new();
    internal readonly ResponseHead Response = new();
    internal readonly CompletionRecord Record = new();
    internal Http1Connection Client = null!;
    internal readonly BodyMover RequestBody = new(), ResponseBody = new();
    internal Exchange? NextFree; // in the loop's pool
    internal PickLease Lease;
    internal DestinationState Destination = null!; // of the last pick
    internal UpstreamConnection? Upstream;
    internal LoopWait? NameWait; // while the destination's name is looked up
    internal Hedge? Hedge;       // made by the first request of a cluster that hedges, and kept
    internal RouteSnapshot? Route;
    internal ClusterSnapshot? Cluster;

    /// <summary>The request's bytes; offsets of <see cref="Request"/> point into it. Valid until the record is written.</summary>
    internal ReadOnlyMemory<byte> Head;

    /// <summary>The whole body where it arrived together with the head.</summary>
    internal ReadOnlyMemory<byte> BufferedBody;

    /// <summary>Length of the normalised path in <see cref="NormalizedPath"/>; -1 when the path was normal as sent.</summary>
    internal int NormalizedLength;

    /// <summary>First cause of failure; later ones are consequences.</summary>
    internal EndReason FailReason;
    internal ExchangePhase Phase;
    internal bool IsResponseStarted;   // bytes of a final response were handed to the client's socket
    internal bool KeepClientAlive;     // the connection can carry another request after this one
    internal bool IsUploadDone;        // the whole request was handed to the destination's socket
    internal bool IsUploadStopped;     // nobody wants the rest of the request body
    internal bool IsUploadStreamed;    // the read buffer was taken over by the upload: the head was copied out of it
    internal bool IsUploadReading;     // the upload waits for the client
    internal bool IsAwaitingHead;      // the answering side waits for the response head
    internal bool IsRecorded;
    internal bool IsUploadRunning;     // the body did not arrive with the head: Upload is owed an await
    internal ValueTask Upload;
    internal bool IsSent;              // the request, or at least its head, was handed to the destination of the last pick
    internal ValueTask<FlushResult>? Sending; // the same, under way
    internal bool NeedsFreshConnection; // a kept connection broke: no other is trusted
    internal Destination? Exclude;     // the one that failed, which a retry passes over
    internal byte[] SetCookie = [];    // header line that binds the client to the destination of the last pick; empty when there is none to send
    internal bool IsInSession;         // the last pick is the destination of the request's cookie, which no other can stand in for
    internal long HoldTicks;           // how long the destination has asked to be left alone in its answer
    internal long EndTimestamp;        // when the last pick was completed; 0 before
    internal long DeadlineAt;          // milliseconds; LoopTimer.None for no deadline
    internal long RequestBodyMax;      // -1 for no limit
    internal long TunnelActivityAt;
    internal LoopWaitQueue? Queue;     // where it waits for a destination; null when it does not
    internal Exchange? NextQueued, PreviousQueued;
    internal Action? AfterQueue;       // goes on when that is over

    /// <summary>Nothing more of the request is sent: what is waited for is the answer.</summary>
    internal bool IsUploadOver => IsUploadDone || IsUploadStopped;

    internal ReadOnlySpan<byte> NormalizedPath => _path.AsSpan(0, NormalizedLength);

    internal void Begin(Http1Connection client)
    {
        Client = client;
        Request.Reset();
        Record.Reset();
        Record.Listener = client.Listener.Name;
        Record.Client = client.Remote;
        Upstream = null;
        Route = null;
        Cluster = null;
        Head = BufferedBody = default;
        NormalizedLength = -1;
        FailReason = EndReason.None;
        Phase = ExchangePhase.None;
        IsResponseStarted = IsUploadDone = IsUploadStopped = IsUploadStreamed = IsUploadReading = false;
        IsAwaitingHead = IsRecorded = KeepClientAlive = IsUploadRunning = IsSent = NeedsFreshConnection = IsInSession = false;
        Sending = null;
        Exclude = null;
        SetCookie = [];
        HoldTicks = EndTimestamp = 0;
        DeadlineAt = None;
        RequestBodyMax = -1;
    }

    internal void End()
    {
        TimerWheel.Cancel(this);
        if (_headCopy is not null)
        {
            Context.Loop.Slabs.Return(_headCopy);
            _headCopy = null;
        }
        Client = null!;
        Head = BufferedBody = default;
        Upload = default;
    }

    /// <summary>A kept connection to the destination picked, or null.</summary>
    internal UpstreamConnection? TryRent()
    {
        UpstreamPool pool = Destination.PoolOf(Context);
        return pool.IsPerClient ? Client.Upstreams.TryRent(pool) : pool.TryRent();
    }

    /// <summary>Gives a connection back on which an answer has ended in order.</summary>
    internal void Return(UpstreamConnection upstream)
    {
        if (upstream.Pool.IsPerClient) Client.Upstreams.Return(upstream);
        else upstream.Pool.Return(upstream);
    }

    internal Span<byte> PathBuffer(int length)
    {
        if (_path is null || _path.Length < length) _path = new byte[Math.Max(length, 256)];
        return _path;
    }

    /// <summary>Moves the head out of the connection's read buffer, so that the buffer can go on with the body.</summary>
    internal void KeepHead()
    {
        IsUploadStreamed = true;
        _headCopy = Context.Loop.Slabs.Lease(Request.Length);
        Head.Span[..Request.Length].CopyTo(_headCopy.Array);
        Head = _headCopy.Array.AsMemory(0, Request.Length);
        Record.Method = Head.Slice(Request.MethodStart, Request.MethodLength);
        Record.Target = Head.Slice(Request.TargetStart, Request.TargetLength);
    }

    /// <summary>Arms the timer for a phase, cut short by the route's deadline.</summary>
    internal void Arm(ExchangePhase phase, long milliseconds)
    {
        Phase = phase;
        long at = Context.Loop.NowMilliseconds + milliseconds;
        Context.Loop.Timers.Set(this, Math.Min(at, DeadlineAt));
    }

    /// <summary>Ends a phase; the deadline, where there is one, goes on.</summary>
    internal void Disarm()
    {
        if (DeadlineAt == None)
        {
            Phase = ExchangePhase.None;
            TimerWheel.Cancel(this);
            return;
        }
        Phase = ExchangePhase.Deadline;
        Context.Loop.Timers.Set(this, DeadlineAt);
    }

    /// <summary>Waits, where it must, until the client has taken what is being sent, under the limit on its silence.</summary>
    internal ValueTask<FlushResult> WhileClientTakesAsync(ValueTask<FlushResult> sending)
    {
        return sending.IsCompleted ? sending : WaitAsync(this, sending);

        [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
        static async ValueTask<FlushResult> WaitAsync(Exchange exchange, ValueTask<FlushResult> sending)
        {
            exchange.Arm(ExchangePhase.ClientWrite, exchange.Client.Listener.WriteIdleMilliseconds);
            FlushResult sent = await sending.ConfigureAwait(false);
            exchange.Disarm();
            return sent;
        }
    }

    protected internal override void OnTimeout()
    {
        long now = Context.Loop.NowMilliseconds;
        if (now >= DeadlineAt)
        {
            Fail(EndReason.DeadlineExceeded);
            if (Phase == ExchangePhase.ClientWrite) Client.Transport.Abort();
            return;
        }
        switch (Phase)
        {
            case ExchangePhase.Queue:
                Fail(EndReason.QueueTimeout);
                break;
            case ExchangePhase.Connect:
                Fail(EndReason.UpstreamConnectTimeout);
                break;
            case ExchangePhase.ResponseHead:
                Fail(EndReason.UpstreamHeadTimeout);
                break;
            case ExchangePhase.ResponseBody:
                Fail(EndReason.UpstreamIdleTimeout);
                break;
            case ExchangePhase.ClientWrite when !PutOff(Client.Transport.Output.LastSentAt + Client.Listener.WriteIdleMilliseconds):
                Fail(EndReason.ClientWriteTimeout);
                Client.Transport.Abort();
                break;
            case ExchangePhase.Tunnel when !PutOff(TunnelActivityAt + Cluster!.TunnelIdleMilliseconds):
                Fail(EndReason.TunnelIdle);
                Client.Transport.Abort();
                break;
        }
    }

    /// <summary>A limit on silence, where something has moved since the timer was armed. False when it has passed.</summary>
    private bool PutOff(long silentUntil)
    {
        if (silentUntil <= Context.Loop.NowMilliseconds) return false;
        Context.Loop.Timers.Set(this, Math.Min(silentUntil, DeadlineAt));
        return true;
    }

    /// <summary>Notes the cause, the first one only, and cuts the destination or the search for it, which wakes whoever waits for it.</summary>
    internal void Fail(EndReason reason)
    {
        if (FailReason == EndReason.None) FailReason = reason;
        NameWait?.Cut();
        if (reason != EndReason.UpstreamHeadTimeout) Hedge?.Cut(); // that one is of the first destination: the hedge may still answer
        if (Queue is { } queue) queue.Leave(this);
        else Upstream?.Transport.Abort();
    }
}
