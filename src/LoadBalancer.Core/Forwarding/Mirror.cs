using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// A copy of a request on its way to a destination of a shadow cluster: owes nobody an answer, knows nothing of the exchange it was copied from, and reads
/// what it is answered within bounds, so that the connection can be used again. Pooled by its loop (<see cref="MirrorSet"/>); its thread only.
/// </summary>
internal sealed class Mirror : SideRequest
{
    /// <summary>Longest body that is read to its end; beyond, closing the connection is cheaper for both sides.</summary>
    internal const int BodyBytesMax = 1 << 20;

    private readonly BodyMover _body = new();
    private readonly Action _onEnded; // made once
    private Slab? _request; // until it is sent
    private int _requestLength;
    private RequestMethod _method;
    private bool _isReusable;
    private RouteMirror.LoopCounts _counts = null!;
    private ValueTask _running;

    internal Mirror? NextInSet, PreviousInSet;

    internal Mirror(LoopContext context)
        : base(context) => _onEnded = OnEnded;

    /// <summary>Copies the request as it is sent to the destination picked. False when it does not fit a buffer; the pick is completed then.</summary>
    internal bool TryFill(Exchange exchange, ClusterSnapshot cluster, PickLease lease)
    {
        Begin(cluster, lease, exchange.Client);
        ReadOnlySpan<byte> body = exchange.BufferedBody.Span;
        int sizeMax = RequestHeadWriter.SizeMax(exchange, cluster, Destination) + body.Length;
        if (sizeMax > SlabPool.LargeSize)
        {
            CompletePick(EndReason.None);
            return false;
        }
        _method = exchange.Request.Method;
        _isReusable = false;
        _request = Context.Loop.Slabs.Lease(sizeMax);
        Span<byte> bytes = _request.Array;
        int headLength = RequestHeadWriter.Write(exchange, cluster, Destination, bytes, "X-Mirrored: 1\r\n"u8);
        body.CopyTo(bytes[headLength..]);
        _requestLength = headLength + body.Length;
        return true;
    }

    /// <summary>Sends it. Goes on by itself.</summary>
    internal void Start(RouteMirror.LoopCounts counts)
    {
        _counts = counts;
#pragma warning disable CA2012 // awaited once, by OnEnded
        _running = RunAsync();
        ValueTaskAwaiter awaiter = _running.GetAwaiter();
#pragma warning restore CA2012
        if (awaiter.IsCompleted) OnEnded();
        else awaiter.UnsafeOnCompleted(_onEnded);
    }

    private void OnEnded()
    {
        try
        {
            _running.GetAwaiter().GetResult();
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
        _counts.UnderWay--;
        Context.Mirrors.Return(this);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask RunAsync()
    {
        if (await ConnectAsync().ConfigureAwait(false) && await WriteAsync().ConfigureAwait(false)
            && await ReadHeadAsync(_method, orInterim: false).ConfigureAwait(false) && await ReadBodyAsync().ConfigureAwait(false))
            CompletePick(EndReason.Completed);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> WriteAsync()
    {
        ValueTask<FlushResult> sending = Upstream!.Transport.Output.WriteAsync(_request!.Array.AsMemory(0, _requestLength));
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
        if (Response.Framing == MessageFraming.None) _body.Begin(MessageFraming.ContentLength, 0, writesChunks: false, null);
        else _body.Begin(Response.Framing, Response.ContentLength, writesChunks: false, Response.CopyFieldOptions(input.Bytes.Span));
        while (true)
        {
            bool isEnd = input.IsEnded;
            int length = input.Bytes.Length - skip;
            int moved = await _body.MoveAsync(input.Bytes[skip..], DiscardingWriter.Instance).ConfigureAwait(false); // waits for nothing
            if (moved == BodyMover.Rejected) return Failed(EndReason.BadResponseBody);
            if (_body.IsComplete)
            {
                // Bytes that nobody asked for must not meet the next request.
                _isReusable = moved == length && !isEnd && Response.KeepAlive;
                input.Consume(input.Bytes.Length);
                return true;
            }
            input.Consume(skip + moved, needsMore: true);
            skip = 0;
            if (_body.DataBytes > BodyBytesMax) return true;
            if (isEnd)
            {
                bool isOrderly = Response.Framing == MessageFraming.UntilClose && transport.Fault == TransportFault.None;
                return isOrderly || Failed(EndReason.UpstreamTruncated);
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
