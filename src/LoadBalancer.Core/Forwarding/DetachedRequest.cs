using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// A request made of a client's, whose answer no client waits for: it knows nothing of the exchange it was made of, and ends by itself. In its loop's
/// <see cref="DetachedSet"/> while it is under way; its thread only.
/// </summary>
internal abstract class DetachedRequest : SideRequest
{
    private readonly Action _onEnded; // made once
    private Slab? _request; // until it is sent
    private int _requestLength;
    private RequestMethod _method;
    private bool _isReusable;
    private ValueTask _running;

    internal DetachedRequest? NextInSet, PreviousInSet;

    private protected DetachedRequest(LoopContext context)
        : base(context) => _onEnded = OnEnded;

    /// <summary>Reads the answer's body.</summary>
    private protected BodyMover Body { get; } = new();

    /// <summary>Longest body that is read to its end; beyond, closing the connection is cheaper for both sides.</summary>
    private protected abstract long BodyBytesMax { get; }

    /// <summary>Gets the answer's body.</summary>
    private protected virtual TransportWriter Sink => DiscardingWriter.Instance;

    /// <summary>Sent after what was filled in: must stay as it is until then.</summary>
    private protected virtual ReadOnlyMemory<byte> Tail => default;

    /// <summary>Copies the request as it is sent to the destination picked. False when it does not fit a buffer; the pick is completed then.</summary>
    /// <param name="exchange">The client's.</param>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="lease">The destination picked.</param>
    /// <param name="extraLines">Field lines that it has beside the client's.</param>
    private protected bool TryFill(Exchange exchange, ClusterSnapshot cluster, PickLease lease, ReadOnlySpan<byte> extraLines)
    {
        ReadOnlySpan<byte> body = exchange.BufferedBody.Span;
        int sizeMax = RequestHeadWriter.SizeMax(exchange, cluster, (DestinationState)lease.Destination.Tag!) + extraLines.Length + body.Length;
        if (!TryBeginFill(cluster, lease, exchange.Client, exchange.Request.Method, sizeMax, out Span<byte> bytes)) return false;
        int headLength = RequestHeadWriter.Write(exchange, cluster, Destination, bytes, extraLines);
        body.CopyTo(bytes[headLength..]);
        EndFill(headLength + body.Length);
        return true;
    }

    /// <summary>Room for the request; <see cref="EndFill"/> follows. False when it does not fit a buffer; the pick is completed then.</summary>
    private protected bool TryBeginFill(ClusterSnapshot cluster, PickLease lease, Http1Connection client, RequestMethod method, int sizeMax, out Span<byte> bytes)
    {
        Begin(cluster, lease, client);
        bytes = default;
        if (sizeMax > SlabPool.LargeSize)
        {
            CompletePick(EndReason.None);
            return false;
        }
        _method = method;
        _isReusable = false;
        _request = Context.Loop.Slabs.Lease(sizeMax);
        bytes = _request.Array;
        return true;
    }

    private protected void EndFill(int length) => _requestLength = length;

    /// <summary>Sends it. Goes on by itself.</summary>
    private protected void Run()
    {
#pragma warning disable CA2012 // awaited once, by OnEnded
        _running = RunAsync();
        ValueTaskAwaiter awaiter = _running.GetAwaiter();
#pragma warning restore CA2012
        if (awaiter.IsCompleted) OnEnded();
        else awaiter.UnsafeOnCompleted(_onEnded);
    }

    /// <summary>A final head stands at the front of the connection's bytes. False to give the rest up.</summary>
    private protected virtual bool OnHead() => true;

    /// <summary>Gets a copy of the body; null for nobody. Asked after <see cref="OnHead"/>.</summary>
    private protected virtual BodyCapture? Capture => null;

    /// <summary>It is over, in whatever way, and nothing is held any more.</summary>
    /// <param name="isComplete">Whether the answer came whole.</param>
    private protected abstract void OnEnded(bool isComplete);

    private void OnEnded()
    {
        bool isComplete = false;
        try
        {
            _running.GetAwaiter().GetResult();
            isComplete = Body.IsComplete;
        }
        catch (Exception e)
        {
            Context.Server.OnInternalError(e);
            Failed(EndReason.InternalError);
        }
        _running = default;
        if (_isReusable && Upstream is { } upstream)
        {
            Upstream = null;
            upstream.Pool.Return(upstream);
        }
        Release();
        ReturnRequest();
        try
        {
            OnEnded(isComplete && Reason == EndReason.None && !IsCut);
        }
        finally
        {
            Context.Detached.Remove(this);
        }
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask RunAsync()
    {
        BeginBody(); // what is complete is asked at the end, however early that comes
        if (await ConnectAsync().ConfigureAwait(false) && await WriteAsync().ConfigureAwait(false)
            && await ReadHeadAsync(_method, orInterim: false).ConfigureAwait(false) && OnHead() && await ReadBodyAsync().ConfigureAwait(false))
            CompletePick(EndReason.Completed);
    }

    private void BeginBody() => Body.Begin(MessageFraming.UntilClose, 0, writesChunks: false, null);

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> WriteAsync()
    {
        ValueTask<FlushResult> sending = Upstream!.Transport.Output.WriteAsync(_request!.Array.AsMemory(0, _requestLength), Tail);
        if (!sending.IsCompleted) Arm(Cluster.IdleMilliseconds, EndReason.UpstreamIdleTimeout);
        await sending.ConfigureAwait(false); // a connection that is gone shows itself when the answer is read
        ReturnRequest();
        return !IsCut;
    }

    /// <summary>The body to its end. True also where it is longer than is read: the destination has answered.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> ReadBodyAsync()
    {
        TransportConnection transport = Upstream!.Transport;
        TransportReader input = transport.Input;
        int skip = Response.Length;
        if (Response.Framing == MessageFraming.None) Body.Begin(MessageFraming.ContentLength, 0, writesChunks: false, null);
        else Body.Begin(Response.Framing, Response.ContentLength, writesChunks: false, Response.CopyFieldOptions(input.Bytes.Span));
        Body.Capture = Capture;
        while (true)
        {
            bool isEnd = input.IsEnded;
            int length = input.Bytes.Length - skip;
            int moved = await Body.MoveAsync(input.Bytes[skip..], Sink).ConfigureAwait(false); // waits for nothing
            if (Body.Capture is { IsBehind: true } capture) await new LoopWait(Context.Loop, capture.Disk!.CaughtUpAsync());
            if (moved is BodyMover.Rejected or BodyMover.ReceiverGone) return Failed(EndReason.BadResponseBody);
            if (Body.IsComplete)
            {
                // Bytes that nobody asked for must not meet the next request.
                _isReusable = moved == length && !isEnd && Response.KeepAlive;
                input.Consume(input.Bytes.Length);
                return true;
            }
            input.Consume(skip + moved, needsMore: true);
            skip = 0;
            if (Body.DataBytes > BodyBytesMax) return true;
            if (isEnd)
            {
                if (Response.Framing != MessageFraming.UntilClose || transport.Fault != TransportFault.None) return Failed(EndReason.UpstreamTruncated);
                Body.EndUntilClose(Sink);
                return true;
            }
            TransportReader.FillAwaitable filling = input.FillAsync();
            if (filling.IsCompleted) continue;
            Arm(Cluster.IdleMilliseconds, EndReason.UpstreamIdleTimeout);
            await filling;
            TimerWheel.Cancel(this);
            if (IsCut) return false;
        }
    }

    private void ReturnRequest()
    {
        if (_request is null) return;
        Context.Loop.Slabs.Return(_request);
        _request = null;
    }
}
