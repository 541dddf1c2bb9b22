using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Tcp;

/// <summary>
/// Takes one TCP connection to a destination:
/// <code>
///  1 find the cluster ──► 2 pick a destination ──► 3 connect ──► 4 relay both ways ──► 5 complete the pick
///    (reads the ClientHello           ▲                │ failed
///     where names decide)             └── another one ─┘
/// </code>
/// Nothing is waited for from the client but a ClientHello: servers may speak first. One for each connection, on its loop's thread.
/// </summary>
internal sealed class TcpForward : PickOwner, IRelayOwner
{
    private static readonly byte[] UnrecognizedName = [21, 3, 1, 0, 2, 2, 112]; // RFC 6066 §3: alert, fatal

    private readonly ListenerSnapshot _listener;
    private readonly TcpSnapshot _tcp;
    private readonly TransportConnection _client;
    private TransportRelay? _relay;
    private HelloReader? _hello; // until the ClientHello is read

    internal TcpForward(LoopContext context, ListenerSnapshot listener, TransportConnection client) : base(context)
    {
        _listener = listener;
        _tcp = listener.Tcp!;
        _client = client;
    }

    internal override TransportConnection ClientTransport => _client;

    internal override bool CarriesHttp => false;

    /// <summary>What was relayed so far; null before it is.</summary>
    internal (long Client, long Upstream)? Bytes => _relay is { } relay ? (relay.ClientBytes, relay.UpstreamBytes) : null;

    /// <summary>Whether the client has not said yet what it wants.</summary>
    internal bool IsAwaitingHello => _hello is not null;

    /// <summary>All steps, to the record. What is left is to close the client's connection.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    internal async ValueTask RunAsync(Admission admission)
    {
        Record.Reset();
        Record.Listener = _listener.Name;
        Record.Tls = _client.TlsSummary;
        Record.Client = _client.Remote;
        admission.NoteIn(Record);
        Record.StartTimestamp = Context.Loop.Time.GetTimestamp();
        EndReason reason = await FindClusterAsync().ConfigureAwait(false);
        if (reason == EndReason.None) reason = await ConnectAsync().ConfigureAwait(false);
        if (reason == EndReason.None) reason = await RelayAsync().ConfigureAwait(false);
        else if (reason != EndReason.NoRoute) _client.Abort(); // a reset, so that it is not taken for an answer
        End(reason);
    }

    // Step 1.
    private ValueTask<EndReason> FindClusterAsync()
    {
        if (_tcp.ReadsName) return ReadNameAsync();
        Use(_tcp.Default!);
        return default;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<EndReason> ReadNameAsync()
    {
        TransportReader input = _client.Input;
        _hello = new HelloReader(_tcp);
        Arm(ExchangePhase.Hello, _tcp.HelloMilliseconds);
        while (true)
        {
            await input.FillAsync();
            if (FailReason != EndReason.None) return FailReason;
            ClientHelloStatus status = input.IsEmpty ? ClientHelloStatus.NeedMore : _hello.Read(input.Bytes.Span, Context.Loop.Slabs);
            if (status == ClientHelloStatus.Complete) break;
            if (status == ClientHelloStatus.Malformed) return EndReason.HandshakeFailed;
            if (input.IsEnded) return EndReason.ClientAborted;
            input.Consume(0, needsMore: true);
        }
        Disarm();
        ClusterSnapshot? cluster = _hello.Cluster;
        _hello = null;
        if (cluster is null)
        {
            // Said in plain, so that a person sees why; what was read stays unread, and no reset may overtake the alert.
            await _client.Output.WriteAsync(UnrecognizedName).ConfigureAwait(false);
            input.Consume(input.Bytes.Length);
            _client.Output.Complete();
            return EndReason.NoRoute;
        }
        Use(cluster);
        return EndReason.None;
    }

    private void Use(ClusterSnapshot cluster)
    {
        Cluster = cluster;
        Record.Cluster = cluster.Name;
        Record.Balance = cluster.Config.Balance;
    }

    // Steps 2 and 3.
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<EndReason> ConnectAsync()
    {
        ClusterSnapshot cluster = Cluster!;
        while (true)
        {
            if (!Pick())
            {
                EndReason refusal = !cluster.HasDestination ? EndReason.NoDestination
                    : cluster.Queue is null ? EndReason.UpstreamOverloaded
                    : await cluster.Queue.WaitAsync(this).ConfigureAwait(false);
                if (refusal != EndReason.None) return refusal;
            }
            if (await Connector.ConnectAsync(this, Destination).ConfigureAwait(false)) break;
            CompletePick(FailReason);
            if (!HasNotConnected || !MayRetry()) return FailReason;
            FailReason = EndReason.None;
            Exclude = Lease.Destination;
        }
        Record.FirstByteTicks = Context.Loop.Time.GetTimestamp() - Record.StartTimestamp;
        // The server may speak first, and wait for the header before it does.
        if (Destination.ProxyProtocol != ProxyProtocolVersion.Off) await Upstream!.Transport.Output.FlushAsync().ConfigureAwait(false);
        return FailReason;
    }

    internal override bool PickNow()
    {
        int attempt = Record.Attempts;
        ulong key = Cluster!.HashSource is null ? 0 : HashSource.KeyOf(_client.Remote);
        Lease = Cluster.Scheduler.Pick(new PickContext(Context.Loop.Time.GetTimestamp(), attempt, key, Exclude));
        if (!Lease.IsActive) return false;
        Destination = (DestinationState)Lease.Destination.Tag!;
        Record.Destination = Destination.Name;
        Record.Attempts = attempt + 1;
        AttemptIndex = Record.BeginAttempt(Destination.Name, attempt == 0 ? AttemptCause.First : AttemptCause.Retry, Lease.StartTimestamp);
        Record.ConnectTicks = -1;
        if (attempt == 0) Cluster.RetryBudget.CountRequest(Context.Loop.Index);
        return true;
    }

    // Step 4.
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<EndReason> RelayAsync()
    {
        _relay = _client.CreateRelay(Upstream!.Transport);
        _relay.Owner = this;
        Arm(ExchangePhase.Tunnel, _tcp.IdleMilliseconds);
        await _relay.RunAsync().ConfigureAwait(false);
        return FailReason != EndReason.None ? FailReason : Tunnel.ReasonOf(_relay);
    }

    public void OnHalfClosed() => Arm(ExchangePhase.Tunnel, _tcp.HalfCloseMilliseconds);

    // Step 5, and whatever of it is due when an earlier step was the last.
    private void End(EndReason reason)
    {
        Context.Loop.Timers.Remove(this);
        if (_relay is not null)
        {
            Record.RequestBodyBytes = _relay.ClientBytes;
            Record.ResponseBodyBytes = _relay.UpstreamBytes;
        }
        CompletePick(reason);
        if (Upstream is { } upstream)
        {
            Upstream = null;
            upstream.Pool.Discard(upstream);
        }
        Record.Reason = reason;
        Record.TotalTicks = (EndTimestamp != 0 ? EndTimestamp : Context.Loop.Time.GetTimestamp()) - Record.StartTimestamp;
        Context.Tell(Record);
        if (Context.Server.KeepsRecent)
        {
            Record.KeepText();
            Record = Context.Keep(Cluster, Record);
        }
    }

    private void CompletePick(EndReason reason)
    {
        if (!Lease.IsActive) return;
        EndTimestamp = Context.Loop.Time.GetTimestamp();
        // Who has accepted has done its part: how long a connection lasts, and how it ends, is up to the two ends. But for one that is reset before it said
        // anything: so it looks when something before the server accepts in its place.
        PickOutcomeKind kind = _relay is null ? Forwarder.KindOf(reason, 0, isSilentReuse: false)
            : reason == EndReason.UpstreamClosed && _relay.UpstreamBytes == 0 ? PickOutcomeKind.ProtocolFailure
            : PickOutcomeKind.Success;
        // The latency of a connection is the time to connect: the rest is no work of the destination's.
        long connect = Math.Max(0, Record.ConnectTicks), total = EndTimestamp - Lease.StartTimestamp;
        var outcome = new PickOutcome(kind, Record.ConnectTicks, -1, total);
        Context.NoteAttempt(Lease, outcome);
        Record.EndAttempt(AttemptIndex, reason, 0, reused: false, outcome);
        Lease.Complete(_relay is null ? outcome : new PickOutcome(kind, 0, connect, total) { LatencyTicks = connect });
        Cluster!.Freed();
    }

    /// <summary>After an exception, from wherever it stands: gives back what it holds.</summary>
    internal void Abandon()
    {
        _client.Abort();
        Upstream?.Transport.Abort();
        End(EndReason.InternalError);
    }

    internal override void Arm(ExchangePhase phase, long milliseconds)
    {
        Phase = phase;
        Context.Loop.Timers.Set(this, Context.Loop.NowMilliseconds + milliseconds);
    }

    internal override void Disarm()
    {
        Phase = ExchangePhase.None;
        TimerWheel.Cancel(this);
    }

    protected internal override void OnTimeout()
    {
        switch (Phase)
        {
            case ExchangePhase.Hello:
                Cut(EndReason.HandshakeTimeout);
                break;
            case ExchangePhase.Tunnel:
                // Not armed anew for what moves: looked at when the limit may have passed.
                long silentUntil = _relay!.ActivityAt + (_relay.IsHalfClosed ? _tcp.HalfCloseMilliseconds : _tcp.IdleMilliseconds);
                if (silentUntil > Context.Loop.NowMilliseconds) Context.Loop.Timers.Set(this, silentUntil);
                else Cut(EndReason.TunnelIdle);
                break;
            default:
                base.OnTimeout();
                break;
        }
    }

    /// <summary>Ends it, whatever it is doing.</summary>
    internal void Cut(EndReason reason)
    {
        Fail(reason);
        _client.Abort();
    }
}
