using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Tracing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>What the exchange's timer guards. The upload of a streamed body has the connection's own timer.</summary>
internal enum ExchangePhase : byte
{
    None,
    /// <summary>Waiting for a ClientHello, on TCP connections.</summary>
    Hello,
    /// <summary>Waiting for a policy.</summary>
    Policy,
    /// <summary>Waiting for another request that fetches the same for a cache.</summary>
    CacheWait,
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
internal sealed class Exchange(LoopContext context) : PickOwner(context)
{
    private Slab? _headCopy, _newHead;
    private int _newHeadStart;
    private CacheExchange? _cache; // made by the first request of a route with a cache, and kept
    private PolicyRun? _policies; // made by the first request of a route with policies, and kept
    private BodyLog? _bodies; // made by the first request of a route that logs bodies, and kept
    private byte[]? _path;

    internal readonly RequestHead Request = new();
    internal readonly ResponseHead Response = new();
    internal Http1Connection Client = null!;
    internal readonly BodyMover RequestBody = new(), ResponseBody = new();
    internal Exchange? NextFree; // in the loop's pool
    internal Hedge? Hedge;       // made by the first request of a cluster that hedges, and kept

    /// <summary>The route that matches; null before that is known. Whether the request is logged is up to it.</summary>
    internal RouteSnapshot? Route
    {
        get;
        set
        {
            field = value;
            Record.IsUnlogged = value is { Config.Log: false };
        }
    }

    private ProxySnapshot? _configuration; // what it goes by, and holds; null where it holds none
    internal CacheExchange? Cache; // null where the route has none
    internal PolicyRun? Policies; // null where the route has none
    internal RequestTrace? Trace;  // null where nobody traces
    internal LimitHolds? Limits; // made by the first request of a route with limits, and kept
    internal LoadShedding? Shedding; // whose place it takes; null for none
    private PeerAddress _clientAddress;

    /// <summary>The request's bytes; offsets of <see cref="Request"/> point into it. Valid until the record is written.</summary>
    internal ReadOnlyMemory<byte> Head;

    /// <summary>The whole body where it arrived together with the head.</summary>
    internal ReadOnlyMemory<byte> BufferedBody;

    /// <summary>Length of the normalised path in <see cref="NormalizedPath"/>; -1 when the path was normal as sent.</summary>
    internal int NormalizedLength;

    internal bool IsResponseStarted;   // bytes of a final response were handed to the client's socket
    internal bool KeepClientAlive;     // the connection can carry another request after this one
    internal bool IsUploadDone;        // the whole request was handed to the destination's socket
    internal bool IsUploadStopped;     // nobody wants the rest of the request body
    internal bool IsHeadKept;          // the head was copied and taken out of the read buffer, which goes on with the body
    internal bool IsUploadStreamed;    // the body goes to the destination as it comes: it is gone when it is sent
    internal int WireHeadLength;       // of the head as it came, in the read buffer until IsHeadKept
    internal int WireBodyLength;       // of the body behind it, where it came as a whole with it
    internal int UpstreamStatus;       // of the destination's final answer, whatever becomes of it; 0 before
    internal bool IsUploadReading;     // the upload waits for the client
    internal bool IsAwaitingHead;      // the answering side waits for the response head
    internal bool IsRecorded;
    internal bool IsUploadRunning;     // the body did not arrive with the head: Upload is owed an await
    internal ValueTask Upload;
    internal bool IsSent;              // the request, or at least its head, was handed to the destination of the last pick
    internal ValueTask<FlushResult>? Sending; // the same, under way
    internal bool NeedsFreshConnection; // a kept connection broke: no other is trusted
    internal byte[] SetCookie = [];    // header line that binds the client to the destination of the last pick; empty when there is none to send
    internal bool IsInSession;         // the last pick is the destination of the request's cookie, which no other can stand in for
    internal long HoldTicks;           // how long the destination has asked to be left alone in its answer
    internal long DeadlineAt;          // milliseconds; LoopTimer.None for no deadline
    internal long RequestBodyMax;      // -1 for no limit
    internal bool IsBodyUnsent;        // the client gets a 304 instead of the answer, whose body is for the cache alone
    internal long BodyEndAt;           // milliseconds until which the body must be there; LoopTimer.None for no such time
    internal TransportRelay? Tunnel;   // after an upgrade
    private long _clientSeenAt, _clientSeenBytes; // when it was last looked at what the client's connection has taken, and how much that was
    private long _clientBehind;        // milliseconds that it is behind the least rate

    /// <summary>Nothing more of the request is sent: what is waited for is the answer.</summary>
    internal bool IsUploadOver => IsUploadDone || IsUploadStopped;

    internal ReadOnlySpan<byte> NormalizedPath => _path.AsSpan(0, NormalizedLength);

    /// <summary>The path as it is routed: in normal form, "/" where there is none, "*" of the server as a whole.</summary>
    internal ReadOnlySpan<byte> Path => NormalizedLength >= 0 ? NormalizedPath
        : Request.PathLength > 0 ? Head.Span.Slice(Request.PathStart, Request.PathLength)
        : Request.IsServerWide ? "*"u8 : "/"u8;

    /// <summary>Who the request is from, behind trusted proxies too: see <see cref="Protection.ClientAddress"/>. Looked for once.</summary>
    internal PeerAddress ClientAddress
    {
        get
        {
            if (_clientAddress == default) _clientAddress = Protection.ClientAddress.Of(Client, Request, Head.Span);
            return _clientAddress;
        }
    }

    internal void Begin(Http1Connection client)
    {
        Client = client;
        _configuration = client.Listener.Configuration;
        _configuration.Hold(Context.Loop.Index);
        Request.Reset();
        Record.Reset();
        Record.Listener = client.Listener.Name;
        Record.Tls = client.Transport.TlsSummary;
        Record.Client = client.Remote;
        client.Admission.NoteIn(Record);
        Upstream = null;
        Route = null;
        Cluster = null;
        Head = BufferedBody = default;
        NormalizedLength = -1;
        FailReason = EndReason.None;
        Phase = ExchangePhase.None;
        IsResponseStarted = IsUploadDone = IsUploadStopped = IsUploadStreamed = IsUploadReading = IsHeadKept = false;
        WireHeadLength = WireBodyLength = UpstreamStatus = 0;
        IsAwaitingHead = IsRecorded = KeepClientAlive = IsUploadRunning = IsSent = NeedsFreshConnection = IsInSession = false;
        Sending = null;
        Exclude = null;
        SetCookie = [];
        HoldTicks = EndTimestamp = 0;
        _clientBehind = 0;
        _clientSeenBytes = client.Transport.Output.SentBytes;
        DeadlineAt = None;
        RequestBodyMax = -1;
        IsBodyUnsent = false;
        BodyEndAt = None;
        _clientAddress = default;
        Limits?.ClearFields();
    }

    internal void End()
    {
        TimerWheel.Cancel(this);
        Cache?.End();
        Cache = null;
        Policies?.End();
        Policies = null;
        if (_headCopy is not null)
        {
            Context.Loop.Slabs.Return(_headCopy);
            _headCopy = null;
        }
        LetGo();
        Client = null!;
        Trace = null;
        Tunnel = null;
        Head = BufferedBody = default;
        Upload = default;
    }

    /// <summary>Policies and caches have done their part: what follows, a tunnel for example, may last for days, and keeps no configuration that was replaced.</summary>
    internal void LetGo()
    {
        _configuration?.LetGo(Context.Loop.Index);
        _configuration = null;
    }

    /// <summary>The route's bodies stand in the log: what came with the head is there.</summary>
    internal void BeginBodyLog(BodyLogRules rules)
    {
        Record.Bodies = _bodies ??= new BodyLog();
        _bodies.Begin(rules);
        if (!Request.HasBody) return;
        _bodies.Request.Begin(BodyLog.KindOf(Request, Head.Span), rules.RequestBytes);
        _bodies.Request.Append(BufferedBody.Span);
    }

    /// <summary>The route has a cache.</summary>
    internal CacheExchange BeginCache()
    {
        Cache = _cache ??= new CacheExchange(this);
        Cache.Begin();
        return Cache;
    }

    /// <summary>The route has policies.</summary>
    internal PolicyRun BeginPolicies() => Policies = _policies ??= new PolicyRun(this);

    /// <summary>A policy that is not waited for any longer may still look at what it was given.</summary>
    internal void Abandon(PolicyRun run)
    {
        if (_policies == run) _policies = null;
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
        IsHeadKept = true;
        if (_headCopy is not null) return; // policies have made one of their own
        _headCopy = Context.Loop.Slabs.Lease(Request.Length);
        Head.Span[..Request.Length].CopyTo(_headCopy.Array);
        Head = _headCopy.Array.AsMemory(0, Request.Length);
        NoteRequestLine();
    }

    /// <summary>Points the record to what it tells of the head.</summary>
    internal void NoteRequestLine()
    {
        Record.Method = Head.Slice(Request.MethodStart, Request.MethodLength);
        Record.Target = Head.Slice(Request.TargetStart, Request.TargetLength);
        Record.UserAgent = ValueOf(KnownField.UserAgent);
        Record.Referer = ValueOf(KnownField.Referer);
    }

    private ReadOnlyMemory<byte> ValueOf(KnownField known)
    {
        int index = Request.IndexOf(known);
        return index < 0 ? default : Head.Slice(Request.Fields[index].ValueStart, Request.Fields[index].ValueLength);
    }

    /// <summary>Room for a head in the place of the one that came; <see cref="EndHead"/> follows.</summary>
    internal Span<byte> BeginHead(int sizeMax)
    {
        _newHeadStart = Record.Method.Length + Record.Target.Length + Record.UserAgent.Length + Record.Referer.Length;
        _newHead = Context.Loop.Slabs.Lease(_newHeadStart + sizeMax);
        // The record tells of the request that came.
        Memory<byte> kept = _newHead.Array;
        Record.Method.CopyTo(kept);
        Record.Target.CopyTo(kept = kept[Record.Method.Length..]);
        Record.UserAgent.CopyTo(kept = kept[Record.Target.Length..]);
        Record.Referer.CopyTo(kept[Record.UserAgent.Length..]);
        return _newHead.Array.AsSpan(_newHeadStart);
    }

    /// <summary>The head is written: it is the request's from here on. Why not, where it is none.</summary>
    internal RejectionReason EndHead(int length, in HeadLimits limits)
    {
        Slab head = _newHead!;
        _newHead = null;
        ReadOnlyMemory<byte> kept = head.Array;
        Record.Method = kept[..Record.Method.Length];
        Record.Target = (kept = kept[Record.Method.Length..])[..Record.Target.Length];
        Record.UserAgent = (kept = kept[Record.Target.Length..])[..Record.UserAgent.Length];
        Record.Referer = kept.Slice(Record.UserAgent.Length, Record.Referer.Length);
        if (_headCopy is not null) Context.Loop.Slabs.Return(_headCopy);
        _headCopy = head;
        Head = head.Array.AsMemory(_newHeadStart, length);
        NormalizedLength = -1; // it is in normal form
        Request.Reset();
        return Request.Parse(Head.Span, limits) == ParseStatus.Complete ? RejectionReason.None
            : Request.Rejection != RejectionReason.None ? Request.Rejection : RejectionReason.HeadTooLarge;
    }

    internal override TransportConnection ClientTransport => Client.Transport;

    internal override bool PickNow() => Forwarder.PickNow(this);

    /// <summary>Arms the timer for a phase, cut short by the route's deadline.</summary>
    internal override void Arm(ExchangePhase phase, long milliseconds)
    {
        Phase = phase;
        long at = Context.Loop.NowMilliseconds + milliseconds;
        Context.Loop.Timers.Set(this, Math.Min(at, DeadlineAt));
    }

    /// <summary>Ends a phase; the deadline, where there is one, goes on.</summary>
    internal override void Disarm()
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
            exchange.BeginClientWait();
            FlushResult sent = await sending.ConfigureAwait(false);
            exchange.EndClientWait();
            return sent;
        }
    }

    /// <summary>From here on the client is waited for, that it takes what is being sent: under the limits on its silence and its slowness.</summary>
    internal void BeginClientWait()
    {
        long now = Context.Loop.NowMilliseconds;
        _clientSeenAt = now;
        Arm(ExchangePhase.ClientWrite, Math.Min(Client.Listener.WriteIdleMilliseconds, TooSlowAt(now) - now));
    }

    internal void EndClientWait()
    {
        TooSlowAt(Context.Loop.NowMilliseconds);
        Disarm();
    }

    // When a client that takes nothing more will be too far behind the least rate. It falls behind while it is waited for, and only then; what it takes
    // at a time makes up for that, but is no credit for later.
    private long TooSlowAt(long now)
    {
        int rate = Client.Listener.Config.Limits.ResponseRateMin;
        if (rate == 0) return None;
        long sent = Client.Transport.Output.SentBytes;
        _clientBehind = Math.Max(0, _clientBehind + now - _clientSeenAt - (sent - _clientSeenBytes) * 1000 / rate);
        (_clientSeenAt, _clientSeenBytes) = (now, sent);
        return now + Client.Listener.ResponseGraceMilliseconds - _clientBehind + 1;
    }

    // The timer of the wait: either limit, whichever is first, unless the client has taken something.
    private void OnClientWaitTimeout(long now)
    {
        long silentUntil = Client.Transport.Output.LastSentAt + Client.Listener.WriteIdleMilliseconds, tooSlowAt = TooSlowAt(now);
        if (PutOff(Math.Min(silentUntil, tooSlowAt))) return;
        Fail(silentUntil <= now ? EndReason.ClientWriteTimeout : EndReason.ClientTooSlow);
        Client.Transport.Abort();
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
            case ExchangePhase.Policy:
                Fail(EndReason.PolicyTimeout);
                break;
            case ExchangePhase.CacheWait:
                Cache!.StopWaiting();
                break;
            case ExchangePhase.ResponseHead:
                Fail(EndReason.UpstreamHeadTimeout);
                break;
            case ExchangePhase.ResponseBody:
                Fail(EndReason.UpstreamIdleTimeout);
                break;
            case ExchangePhase.ClientWrite:
                OnClientWaitTimeout(now);
                break;
            case ExchangePhase.Tunnel when !PutOff(Tunnel!.ActivityAt + Cluster!.TunnelIdleMilliseconds):
                Fail(EndReason.TunnelIdle);
                Client.Transport.Abort();
                break;
            default:
                base.OnTimeout();
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
    internal override void Fail(EndReason reason)
    {
        if (reason != EndReason.UpstreamHeadTimeout) Hedge?.Cut(); // that one is of the first destination: the hedge may still answer
        base.Fail(reason);
        Cache?.StopWaiting();
        Policies?.Cut();
    }
}
