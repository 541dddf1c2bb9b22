using System.Net;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// One attempt at a destination beside the exchange that answers the client: a hedge or a mirrored request. It has its own pick, connection and
/// time-outs, is never repeated and never waits in a queue. Lives on one loop's thread.
/// </summary>
internal abstract class SideRequest(LoopContext context) : LoopTimer
{
    private LoopWait? _nameWait; // while the destination's name is looked up
    private EndReason _timeoutReason;
    private AddressPair _client; // where the destination gets a PROXY header; noted early, as a mirrored request may outlive the client

    internal readonly ResponseHead Response = new();
    internal PickLease Lease;
    internal DestinationState Destination = null!;
    internal UpstreamConnection? Upstream;

    /// <summary>Nobody wants it any more, or it took too long: whoever waits for it has been woken.</summary>
    internal bool IsCut { get; private set; }

    /// <summary>First cause of failure; none also where it was cut because nobody wants it.</summary>
    internal EndReason Reason { get; private protected set; }

    /// <summary>Time to connect, in timestamp ticks: 0 for a kept connection, -1 where it was not reached.</summary>
    internal long ConnectTicks { get; private set; }

    /// <summary>From the pick to the first byte of the answer, in timestamp ticks; -1 where it was not reached.</summary>
    internal long FirstByteTicks { get; private set; }

    /// <summary>Whether no kept connection is taken: one has turned out to be closed.</summary>
    private protected bool NeedsFreshConnection { get; init; }

    /// <summary>Whether it went by a kept connection.</summary>
    private protected bool WasReused { get; private set; }

    private protected LoopContext Context => context;

    private protected ClusterSnapshot Cluster { get; private set; } = null!;

    private protected void Begin(ClusterSnapshot cluster, PickLease lease, Http1Connection client)
    {
        Cluster = cluster;
        Lease = lease;
        Destination = (DestinationState)lease.Destination.Tag!;
        _client = Destination.ProxyProtocol == ProxyProtocolVersion.Off ? default : AddressPair.Of(client.Transport);
        IsCut = false;
        Reason = EndReason.None;
        ConnectTicks = FirstByteTicks = -1;
    }

    /// <summary>A kept connection, or a new one. False with the cause in <see cref="Reason"/>, unless it was cut.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private protected async ValueTask<bool> ConnectAsync()
    {
        UpstreamPool pool = Destination.PoolOf(context);
        Upstream = NeedsFreshConnection ? null : pool.TryRent();
        WasReused = Upstream is not null;
        if (Upstream is not null)
        {
            ConnectTicks = 0;
            return true;
        }
        TimeProvider time = context.Loop.Time;
        long start = time.GetTimestamp();
        Arm(Cluster.ConnectMilliseconds, EndReason.UpstreamConnectTimeout);
        EndPoint? endPoint = Destination.TryGetEndPoint(time);
        if (endPoint is null)
        {
            _nameWait = new LoopWait(context.Loop, Destination.ResolveAsync(time));
            await _nameWait;
            _nameWait = null;
            if (IsCut)
            {
                if (Reason == EndReason.UpstreamConnectTimeout) Reason = EndReason.UpstreamUnresolved; // the look-up goes on beside
                return false;
            }
            endPoint = Destination.TryGetEndPoint(time);
            if (endPoint is null) return Failed(EndReason.UpstreamUnresolved);
        }
        if (pool.Create(endPoint) is not { } upstream) return Failed(EndReason.UpstreamOverloaded);
        Upstream = upstream;
        ConnectResult result = await Destination.OpenAsync(upstream.Transport, _client).ConfigureAwait(false);
        context.Loop.Timers.Remove(this);
        if (result == ConnectResult.Connected && !IsCut)
        {
            ConnectTicks = time.GetTimestamp() - start;
            return true;
        }
        if (!IsCut || Reason != EndReason.None) Destination.ConnectFailed(); // what nobody wants any more says nothing of the address
        return Failed(Connector.ReasonOf(result));
    }

    /// <summary>Whether a whole head stands at the front of the connection's bytes: a final one, or an interim one where that is asked for.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private protected async ValueTask<bool> ReadHeadAsync(RequestMethod method, bool orInterim)
    {
        TransportReader input = Upstream!.Transport.Input;
        Response.Reset();
        Arm(Cluster.ResponseHeadMilliseconds, EndReason.UpstreamHeadTimeout);
        while (true)
        {
            await input.FillAsync();
            if (IsCut) return false;
            ParseStatus status = ParseStatus.NeedMore;
            if (!input.IsEmpty)
            {
                if (FirstByteTicks < 0) FirstByteTicks = context.Loop.Time.GetTimestamp() - Lease.StartTimestamp;
                status = Response.Parse(input.Bytes.Span, Cluster.HeadLimits, method);
            }
            if (status == ParseStatus.Complete)
            {
                // RFC 9110 §15.2.2: a switch of protocols that nobody asked for.
                if (Response.Status == 101) return Failed(EndReason.BadResponse);
                if (Response.Status >= 200 || orInterim)
                {
                    context.Loop.Timers.Remove(this);
                    return true;
                }
                input.Consume(Response.Length);
                Response.Reset();
                continue;
            }
            if (status == ParseStatus.Rejected) return Failed(EndReason.BadResponse);
            if (input.IsEnded) return Failed(Connector.EndOf(Upstream.Transport));
            input.Consume(0, needsMore: true);
        }
    }

    /// <summary>Arms the timer: what passes it is cut for that reason.</summary>
    private protected void Arm(long milliseconds, EndReason reason)
    {
        _timeoutReason = reason;
        context.Loop.Timers.Set(this, context.Loop.NowMilliseconds + milliseconds);
    }

    private protected bool Failed(EndReason reason)
    {
        if (!IsCut && Reason == EndReason.None) Reason = reason;
        return false;
    }

    /// <summary>Ends it early; whoever waits for its connection or its name is woken at the end of the loop's turn.</summary>
    internal virtual void Cut(EndReason reason = EndReason.None)
    {
        if (IsCut) return;
        IsCut = true;
        if (Reason == EndReason.None) Reason = reason;
        _nameWait?.Cut();
        Upstream?.Transport.Abort();
    }

    protected internal override void OnTimeout() => Cut(_timeoutReason);

    /// <summary>Completes the pick, the first time it is called; for <see cref="EndReason.None"/> as cancelled, which says nothing of the destination.</summary>
    private protected void CompletePick(EndReason reason)
    {
        if (!Lease.IsActive) return;
        bool isSilentReuse = Upstream is { WasReused: true } && FirstByteTicks < 0;
        PickOutcomeKind kind = Forwarder.KindOf(reason, Response.Status, isSilentReuse);
        long total = context.Loop.Time.GetTimestamp() - Lease.StartTimestamp;
        var outcome = new PickOutcome(kind, ConnectTicks, FirstByteTicks, total);
        context.NoteAttempt(Lease, outcome);
        OnAttemptEnded(reason, outcome);
        Lease.Complete(outcome);
        Cluster.Freed();
    }

    /// <summary>The pick is about to be completed.</summary>
    private protected virtual void OnAttemptEnded(EndReason reason, in PickOutcome outcome)
    {
    }

    /// <summary>Gives back what is left: the pick, completed for <see cref="Reason"/>, and the connection, closed. Nothing waits any more.</summary>
    private protected void Release()
    {
        context.Loop.Timers.Remove(this);
        CompletePick(Reason);
        if (Upstream is not { } upstream) return;
        Upstream = null;
        upstream.Pool.Discard(upstream);
    }
}
