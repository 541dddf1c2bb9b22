using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tracing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// The second copy of an exchange's request, sent to another destination when the first has said nothing for a while. The first whole head,
/// final or interim, wins: the exchange goes on with that connection, the other is closed and its pick completed as cancelled.
/// Belongs to one exchange, which keeps it, and on its loop's thread.
/// </summary>
/// <remarks>
/// Who waits for whom. The exchange waits for its first destination, never for the hedge, unless the first has failed. The hedge runs beside. When it
/// wins it notes so and aborts the first connection, which wakes the exchange; that looks at <see cref="HasWon"/> before it looks at any byte, so of two
/// heads that come in one turn the one that was seen first counts. When it loses (<see cref="Lose"/>), or the exchange fails, its connection is aborted,
/// which wakes the hedge at the end of the turn. An exchange ends only after <see cref="EndAsync"/>: nothing of a hedge outlives it, so a pooled exchange
/// that is used again meets none of an earlier use.
/// </remarks>
internal sealed class Hedge(Exchange exchange) : SideRequest(exchange.Context)
{
    private enum Phase : byte
    {
        None,
        /// <summary>The delay runs.</summary>
        Delay,
        /// <summary>Sent, or about to be; nobody has won.</summary>
        Running,
        /// <summary>A head is there; the exchange has been woken and will take over the connection.</summary>
        Won,
    }

    private Phase _phase;
    private Activity? _span;
    private int _attemptIndex; // in the exchange's record; -1 before there is one
    private ValueTask _running; // awaited once: IsRunning says whether it is owed

    /// <summary>Whether a copy was sent whose end has not been awaited yet.</summary>
    internal bool IsRunning { get; private set; }

    /// <summary>Whether the exchange is to go on with the hedge's connection.</summary>
    internal bool HasWon => _phase == Phase.Won;

    /// <summary>Starts the delay for a request that has just been sent, where it may be hedged.</summary>
    // Hot path: per request of clusters that hedge. 0 allocations. AllocationTests.KeepAliveRequest_OfAClusterThatHedges_AllocatesNothing
    internal static void Schedule(Exchange exchange, HedgePolicy policy)
    {
        if (exchange.Record.IsHedged || exchange.IsInSession || !HedgePolicy.Covers(exchange.Request)) return;
        Hedge hedge = exchange.Hedge ??= new Hedge(exchange);
        long delay = policy.DelayMilliseconds(exchange.Context);
        if (delay < 0 || delay >= exchange.Cluster!.ResponseHeadMilliseconds) return;
        hedge._phase = Phase.Delay;
        TransportLoop loop = exchange.Context.Loop;
        loop.PreciseTimers.Set(hedge, loop.NowMilliseconds + delay);
    }

    protected internal override void OnTimeout()
    {
        if (_phase != Phase.Delay)
        {
            base.OnTimeout();
            return;
        }
        _phase = Phase.None;
        // A first byte shows that the destination is at it.
        if (exchange.Record.FirstByteTicks < 0 && exchange.FailReason == EndReason.None) Send();
    }

    private void Send()
    {
        ClusterSnapshot cluster = exchange.Cluster!;
        HedgePolicy policy = cluster.Hedging!;
        if (cluster.Queue is { IsUsed: true }) return; // those that wait come first
        long now = Context.Loop.Time.GetTimestamp();
        if (!policy.Budget.TryTake(now))
        {
            policy.CountDenied();
            return;
        }
        Destination first = exchange.Lease.Destination;
        PickLease lease = cluster.Scheduler.Pick(new PickContext(now, exchange.Record.Attempts, cluster.HashSource?.KeyOf(exchange) ?? 0, first));
        if (!lease.IsActive) return;
        _attemptIndex = -1;
        Begin(cluster, lease, exchange.Client);
        // What is excluded is picked where there is no other, and in panic also what is not eligible.
        if (lease.Destination == first || lease.Destination.Status != DestinationStatus.Eligible)
        {
            CompletePick(EndReason.None);
            return;
        }
        policy.CountSent();
        _attemptIndex = exchange.Record.BeginAttempt(Destination.Name, AttemptCause.Hedge, now);
        _span = exchange.Trace?.BeginAttempt(exchange, Destination.Name, AttemptCause.Hedge, exchange.Record.Attempts);
        exchange.Record.IsHedged = true;
        exchange.Record.HedgeLoser = Destination.Name; // until it wins
        _phase = Phase.Running;
        IsRunning = true;
#pragma warning disable CA2012 // awaited once, by EndAsync or TakesOverAsync: IsRunning says whether it is owed
        _running = RunAsync();
#pragma warning restore CA2012
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask RunAsync()
    {
        if (await ConnectAsync().ConfigureAwait(false) && await WriteAsync().ConfigureAwait(false)
            && await ReadHeadAsync(exchange.Request.Method, orInterim: true).ConfigureAwait(false))
        {
            _phase = Phase.Won;
            exchange.Upstream?.Transport.Abort(); // wakes the exchange, unless that waits for this method already
            return;
        }
        Release();
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> WriteAsync()
    {
        TransportWriter output = Upstream!.Transport.Output;
        WriteHead(output);
        ValueTask<FlushResult> sending = output.FlushAsync();
        if (!sending.IsCompleted) Arm(Cluster.IdleMilliseconds, EndReason.UpstreamIdleTimeout);
        await sending.ConfigureAwait(false); // a connection that is gone shows itself when the answer is read
        return !IsCut;
    }

    // Each destination gets its own span as the parent.
    private void WriteHead(TransportWriter output)
    {
        RequestTrace? trace = exchange.Trace;
        Activity? first = trace?.Attempt;
        if (trace is not null) trace.Attempt = _span;
        RequestHeadWriter.Write(exchange, Destination, output);
        if (trace is not null) trace.Attempt = first;
    }

    private protected override void OnAttemptEnded(EndReason reason, in PickOutcome outcome)
    {
        exchange.Record.EndAttempt(_attemptIndex, reason, Response.Status, WasReused, outcome);
        RequestTrace.EndAttempt(_span, reason, Response.Status, WasReused, outcome, Context.Loop.Time.GetUtcNow());
        _span = null;
    }

    /// <summary>The first destination has answered: no hedge is wanted, or any more. Its end is awaited later, by <see cref="EndAsync"/>.</summary>
    internal void Lose()
    {
        if (_phase == Phase.None) return;
        StopDelay();
        if (!IsRunning) return;
        CompletePick(EndReason.None); // now: its connection may take until the end of the turn to wake
        Cut();
    }

    /// <summary>The exchange has failed, or the hedge has lost or is too late.</summary>
    internal override void Cut(EndReason reason = EndReason.None)
    {
        StopDelay();
        if (IsRunning) base.Cut(reason);
    }

    private void StopDelay()
    {
        if (_phase != Phase.Delay) return;
        _phase = Phase.None;
        Context.Loop.PreciseTimers.Remove(this);
    }

    /// <summary>Cuts it, where it still runs, and waits for its end.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    internal async ValueTask EndAsync()
    {
        Cut();
        await AwaitAsync().ConfigureAwait(false);
        Release();
        _phase = Phase.None;
    }

    private ValueTask AwaitAsync()
    {
        if (!IsRunning) return default;
        IsRunning = false;
        return _running;
    }

    /// <summary>
    /// The wait for the first destination is over without a head: it has failed, for that reason, or was aborted by the hedge. True when the exchange goes on
    /// with the hedge's connection, also if that takes until the hedge has an answer; then the first attempt has been wound up. False also when the whole
    /// request has failed meanwhile, which <see cref="PickOwner.FailReason"/> says.
    /// </summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal async ValueTask<bool> TakesOverAsync(EndReason reason)
    {
        StopDelay();
        if (!IsRunning) return false;
        bool isBeaten = HasWon;
        // Only a failure of the first destination leaves the hedge something to do; other failures have cut it.
        if (!isBeaten && !IsCut)
        {
            Forwarder.CompletePick(exchange, reason);
            exchange.Disarm();
        }
        if (!IsCut) exchange.FailReason = EndReason.None; // from here on: of the request
        await AwaitHeadAsync().ConfigureAwait(false);
        if (!HasWon || IsCut)
        {
            Release();
            _phase = Phase.None;
            return false;
        }
        TakeOver(isBeaten);
        return true;
    }

    // IsRunning stays true until then: a failure of the exchange must reach the hedge.
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask AwaitHeadAsync()
    {
        try
        {
            await _running.ConfigureAwait(false);
        }
        finally
        {
            IsRunning = false;
        }
    }

    private void TakeOver(bool isBeaten)
    {
        _phase = Phase.None;
        HedgePolicy policy = Cluster.Hedging!;
        policy.CountWon();
        // How long the first would have taken nobody knows, but so long at least: left out, the quantile would sink with every hedge.
        if (isBeaten) policy.Learn(Context, Context.Loop.Time.GetTimestamp() - exchange.Lease.StartTimestamp);

        Forwarder.CompletePick(exchange, EndReason.None);
        UpstreamConnection first = exchange.Upstream!;
        first.Transport.Abort();
        first.Pool.Discard(first);

        CompletionRecord record = exchange.Record;
        record.HedgeLoser = exchange.Destination.Name;
        record.HasHedgeWon = true;
        record.Destination = Destination.Name;
        record.ConnectionReused = Upstream!.WasReused;
        record.ConnectTicks = ConnectTicks;
        record.FirstByteTicks = FirstByteTicks + Lease.StartTimestamp - record.StartTimestamp;
        record.Rejection = Http.RejectionReason.None;
        exchange.Destination = Destination;
        exchange.Upstream = Upstream;
        Upstream = null;
        exchange.Lease = Lease;
        exchange.AttemptIndex = _attemptIndex;
        if (exchange.Trace is { } trace) trace.Attempt = _span;
        _span = null;
        Lease = default;
        exchange.SetCookie = Cluster.Sticky?.Table.SetCookieFor(exchange.Lease.Destination) ?? []; // of whoever answers
        Forwarder.BeginAnswer(exchange);
    }
}
