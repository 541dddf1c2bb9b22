using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// Takes one request to a destination and its answer back:
/// <code>
///  1 pick a destination ──► 2 rent or open a connection ──► 3 send head and body ──► 4 read the response head
///        ▲                        │ failed, nothing sent         │                        │ closed, nothing answered
///        └────────────────────────┴──────────────────────────────┴──── retry, if safe ◄───┘
///  5 send the response head and relay the body ──► 6 give the connection back, complete the pick
/// </code>
/// </summary>
internal static class Forwarder
{
    // Hot path: per request. 0 allocations. AllocationTests.KeepAliveRequest_SteadyState_AllocatesNothing
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    internal static async ValueTask ForwardAsync(Exchange exchange)
    {
        LoopContext context = exchange.Context;
        ClusterSnapshot cluster = exchange.Cluster!;
        Destination? exclude = null;
        bool fresh = false;
        for (int attempt = 0; ; attempt++)
        {
            // Step 1: pick.
            long now = context.Loop.Time.GetTimestamp();
            exchange.Lease = cluster.Scheduler.Pick(new PickContext(now, attempt, 0, exclude));
            if (!exchange.Lease.IsActive)
            {
                await FailAsync(exchange, EndReason.NoDestination).ConfigureAwait(false);
                return;
            }
            var destination = (DestinationState)exchange.Lease.Destination.Tag!;
            exchange.Record.Destination = destination.Name;
            exchange.Record.Attempts = attempt + 1;

            // Step 2: a connection.
            exchange.Upstream = fresh ? null : context.PoolOf(destination).TryRent();
            exchange.Record.ConnectionReused = exchange.Upstream is not null;
            exchange.Record.ConnectTicks = 0;
            if (exchange.Upstream is null && !await Connector.ConnectAsync(exchange, destination).ConfigureAwait(false))
            {
                CompletePick(exchange, exchange.FailReason);
                // Nothing was sent: repeating is safe whatever the method.
                if (attempt < cluster.Config.RetriesMax && (exchange.FailReason is EndReason.UpstreamConnectFailed or EndReason.UpstreamConnectTimeout
                    or EndReason.UpstreamUnresolved or EndReason.UpstreamOverloaded))
                {
                    exchange.FailReason = EndReason.None;
                    exclude = exchange.Lease.Destination;
                    continue;
                }
                await FailAsync(exchange, exchange.FailReason).ConfigureAwait(false);
                return;
            }
            UpstreamConnection upstream = exchange.Upstream!;

            // Step 3: send.
            TransportWriter output = upstream.Transport.Output;
            RequestHeadWriter.Write(exchange, destination, output);
            ValueTask<FlushResult> sending = exchange.BufferedBody.IsEmpty ? output.FlushAsync() : output.WriteAsync(exchange.BufferedBody);
            if (!sending.IsCompleted) exchange.Arm(ExchangePhase.ResponseBody, cluster.IdleMilliseconds);
            await sending.ConfigureAwait(false); // a connection that is gone shows itself when the answer is read
            if (!exchange.IsUploadDone)
            {
                StartUpload(exchange, upstream.Transport);
                exchange.Disarm();
            }

            // Step 4: the response head.
            (bool answered, bool isBad, ReadResult read) = await ReadHeadAsync(exchange, upstream.Transport).ConfigureAwait(false);
            if (answered)
            {
                // Steps 5 and 6.
                if (exchange.Response.Status == 101) await UpgradeAsync(exchange, read).ConfigureAwait(false);
                else
                {
                    ValueTask relaying = RelayAsync(exchange, read);
                    if (relaying.IsCompletedSuccessfully) relaying.GetAwaiter().GetResult();
                    else await relaying.ConfigureAwait(false);
                }
                return;
            }

            EndReason reason = exchange.FailReason != EndReason.None ? exchange.FailReason : isBad ? EndReason.BadResponse : EndReason.UpstreamClosed;
            bool nothingAnswered = reason == EndReason.UpstreamClosed && read.Buffer.IsEmpty && !exchange.IsResponseStarted;
            bool retry = nothingAnswered && attempt < cluster.Config.RetriesMax && !exchange.IsUploadStreamed && IsRepeatable(exchange.Request.Method, upstream.WasReused);
            CompletePick(exchange, reason);
            upstream.Transport.Abort();
            await Upload.StopAsync(exchange).ConfigureAwait(false);
            exchange.Upstream = null;
            upstream.Pool.Discard(upstream);
            if (retry)
            {
                // A kept connection that the server closed says nothing against the server: a new one to whichever comes next.
                if (upstream.WasReused) fresh = true;
                else exclude = exchange.Lease.Destination;
                continue;
            }
            await FailAsync(exchange, reason).ConfigureAwait(false);
            return;
        }
    }

    // RFC 9110 §9.2.2. After a kept connection was closed at once the request was most likely never read, but only what is idempotent
    // may be repeated on "most likely"; a fresh connection that breaks is tried again for safe methods alone.
    private static bool IsRepeatable(RequestMethod method, bool wasReused) => method switch
    {
        RequestMethod.Get or RequestMethod.Head or RequestMethod.Options or RequestMethod.Trace => true,
        RequestMethod.Put or RequestMethod.Delete => wasReused,
        _ => false,
    };

    private static void StartUpload(Exchange exchange, TransportConnection upstream)
    {
        // The read buffer goes on with the body, so the head moves out; then the buffer's bytes after the head are the body's first.
        ReadOnlyMemory<byte> buffer = exchange.Head;
        exchange.KeepHead();
        exchange.Client.Transport.Input.AdvanceTo(PositionIn(buffer, exchange.Request.Length));
        exchange.Upload = Upload.RunAsync(exchange, upstream);
    }

    // Read buffers are one array segment each: see TransportConnection.
    private static SequencePosition PositionIn(ReadOnlyMemory<byte> buffer, int offset)
    {
        MemoryMarshal.TryGetArray(buffer, out ArraySegment<byte> segment);
        return new SequencePosition(segment.Array, segment.Offset + offset);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<(bool Answered, bool IsBad, ReadResult Read)> ReadHeadAsync(Exchange exchange, TransportConnection upstream)
    {
        ClusterSnapshot cluster = exchange.Cluster!;
        ResponseHead response = exchange.Response;
        response.Reset();
        exchange.IsAwaitingHead = true;
        if (exchange.IsUploadDone) exchange.Arm(ExchangePhase.ResponseHead, cluster.ResponseHeadMilliseconds);
        while (true)
        {
            ReadResult read = await upstream.Input.ReadAsync().ConfigureAwait(false);
            ParseStatus status = ParseStatus.NeedMore;
            if (!read.Buffer.IsEmpty)
            {
                if (exchange.Record.FirstByteTicks < 0) exchange.Record.FirstByteTicks = exchange.Context.Loop.Time.GetTimestamp() - exchange.Record.StartTimestamp;
                status = response.Parse(read.Buffer.FirstSpan, cluster.HeadLimits, exchange.Request.Method);
            }
            if (status == ParseStatus.Complete && exchange.FailReason == EndReason.None)
            {
                if (response.Status is >= 200 or 101)
                {
                    exchange.IsAwaitingHead = false;
                    exchange.Disarm();
                    if (response.Status != 101 || (exchange.Request.IsUpgrade && response.HasKnown(KnownField.Upgrade))) return (true, false, read);
                    exchange.Record.Rejection = RejectionReason.BadStatus; // RFC 9110 §15.2.2: a switch that nobody asked for
                    return (false, true, read);
                }
                // RFC 9110 §15.2: interim responses are passed on, but not to HTTP/1.0.
                int length = response.Length;
                if (exchange.Request.MinorVersion > 0 && !await InterimAsync(exchange, read.Buffer.FirstSpan).ConfigureAwait(false)) return (false, false, read);
                upstream.Input.AdvanceTo(read.Buffer.GetPosition(length));
                response.Reset();
                continue;
            }
            if (status == ParseStatus.Rejected || read.IsCompleted || read.IsCanceled || exchange.FailReason != EndReason.None)
            {
                exchange.IsAwaitingHead = false;
                exchange.Disarm();
                // A head that breaks off was an attempt at an answer: not "nothing".
                bool isBad = status == ParseStatus.Rejected;
                if (isBad) exchange.Record.Rejection = response.Rejection;
                return (false, isBad, read);
            }
            upstream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static ValueTask<bool> InterimAsync(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        TransportWriter output = exchange.Client.Transport.Output;
        ResponseHeadWriter.Write(exchange, bytes, output);
        return SendAsync(exchange, output);

        static async ValueTask<bool> SendAsync(Exchange exchange, TransportWriter output)
        {
            FlushResult sent = await output.FlushAsync().ConfigureAwait(false);
            if (sent.IsCompleted && exchange.FailReason == EndReason.None) exchange.FailReason = EndReason.ClientAborted;
            return !sent.IsCompleted;
        }
    }

    // Step 5. Whole small answers take one write and no wait.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask RelayAsync(Exchange exchange, ReadResult read)
    {
        UpstreamConnection upstream = exchange.Upstream!;
        TransportConnection client = exchange.Client.Transport;
        ResponseHead response = exchange.Response;
        ReadOnlyMemory<byte> rest = read.Buffer.First[response.Length..];
        exchange.Record.Status = response.Status;
        exchange.IsResponseStarted = true;
        // RFC 9112 §9.6: after a final answer to a body that is still on its way the connection cannot go on.
        if (!exchange.IsUploadDone && exchange.Request.ExpectContinue && exchange.Record.RequestBodyBytes == 0) exchange.KeepClientAlive = false;
        if (exchange.Context.IsDraining) exchange.KeepClientAlive = false;
        ResponseHeadWriter.Write(exchange, read.Buffer.FirstSpan, client.Output);

        EndReason reason;
        bool isUpstreamClean;
        if (response.Framing == MessageFraming.None || (response.Framing == MessageFraming.ContentLength && response.ContentLength <= rest.Length))
        {
            ReadOnlyMemory<byte> body = response.Framing == MessageFraming.None ? default : rest[..(int)response.ContentLength];
            ValueTask<FlushResult> sending = body.IsEmpty ? client.Output.FlushAsync() : client.Output.WriteAsync(body);
            FlushResult sent;
            if (sending.IsCompleted) sent = sending.GetAwaiter().GetResult();
            else
            {
                exchange.Arm(ExchangePhase.ClientWrite, exchange.Client.Listener.WriteIdleMilliseconds);
                sent = await sending.ConfigureAwait(false);
            }
            exchange.Record.ResponseBodyBytes = body.Length;
            reason = sent.IsCompleted ? ClientGone(exchange) : EndReason.Completed;
            // Bytes that nobody asked for: they must not meet the next request.
            isUpstreamClean = rest.Length == body.Length && !read.IsCompleted;
            upstream.Transport.Input.AdvanceTo(read.Buffer.End);
        }
        else
        {
            (reason, isUpstreamClean) = await RelayBodyAsync(exchange, read).ConfigureAwait(false);
        }
        exchange.Disarm();
        await FinishAsync(exchange, upstream, reason, isUpstreamClean && response.KeepAlive && response.Framing != MessageFraming.UntilClose).ConfigureAwait(false);
    }

    private static async ValueTask<(EndReason, bool)> RelayBodyAsync(Exchange exchange, ReadResult read)
    {
        TransportConnection upstream = exchange.Upstream!.Transport, client = exchange.Client.Transport;
        ResponseHead response = exchange.Response;
        bool writesChunks = response.Framing != MessageFraming.ContentLength && exchange.Request.MinorVersion > 0;
        var mover = new BodyMover(response.Framing, response.ContentLength, writesChunks);
        int skip = response.Length;
        long writeIdle = exchange.Client.Listener.WriteIdleMilliseconds, readIdle = exchange.Cluster!.IdleMilliseconds;
        while (true)
        {
            bool isEnd = read.IsCompleted;
            // A close-delimited body ends with an orderly end only; a reset is a truncation.
            bool endsHere = isEnd && response.Framing == MessageFraming.UntilClose && upstream.Fault == TransportFault.None && exchange.FailReason == EndReason.None;
            ReadOnlyMemory<byte> bytes = read.Buffer.First[skip..];
            ValueTask<int> moving = mover.MoveAsync(bytes, client.Output);
            int moved;
            if (moving.IsCompleted) moved = await moving.ConfigureAwait(false);
            else
            {
                exchange.Arm(ExchangePhase.ClientWrite, writeIdle);
                moved = await moving.ConfigureAwait(false);
                exchange.Disarm();
            }
            exchange.Record.ResponseBodyBytes = mover.DataBytes;
            if (moved == -1)
            {
                exchange.Record.Rejection = mover.Rejection;
                return (EndReason.BadResponseBody, false);
            }
            if (moved == -2) return (ClientGone(exchange), false);
            if (mover.IsComplete)
            {
                upstream.Input.AdvanceTo(read.Buffer.End);
                return (EndReason.Completed, moved == bytes.Length && !isEnd);
            }
            upstream.Input.AdvanceTo(read.Buffer.GetPosition(skip + moved), read.Buffer.End);
            skip = 0;
            if (endsHere)
            {
                mover.EndUntilClose(client.Output);
                FlushResult sent = await client.Output.FlushAsync().ConfigureAwait(false);
                return (sent.IsCompleted ? ClientGone(exchange) : EndReason.Completed, false);
            }
            if (isEnd) return (exchange.FailReason != EndReason.None ? exchange.FailReason : EndReason.UpstreamTruncated, false);

            ValueTask<ReadResult> reading = upstream.Input.ReadAsync();
            if (reading.IsCompleted) read = await reading.ConfigureAwait(false);
            else
            {
                exchange.Arm(ExchangePhase.ResponseBody, readIdle);
                read = await reading.ConfigureAwait(false);
                exchange.Disarm();
            }
        }
    }

    private static EndReason ClientGone(Exchange exchange) => exchange.FailReason != EndReason.None ? exchange.FailReason : EndReason.ClientAborted;

    // Step 6. Not async itself where nothing is left to wait for.
    private static ValueTask FinishAsync(Exchange exchange, UpstreamConnection upstream, EndReason reason, bool isReusable)
    {
        exchange.Record.Reason = reason;
        CompletePick(exchange, reason);
        if (reason != EndReason.Completed)
        {
            // The answer has begun and cannot be completed: the client must see that, so its connection is reset.
            exchange.KeepClientAlive = false;
            exchange.Client.Transport.Abort();
        }
        if (exchange.Upload is { IsCompleted: false }) return Slow(exchange, upstream);
        exchange.Upstream = null;
        if (isReusable && reason == EndReason.Completed && exchange.IsUploadDone) upstream.Pool.Return(upstream);
        else upstream.Pool.Discard(upstream);
        return default;

        static async ValueTask Slow(Exchange exchange, UpstreamConnection upstream)
        {
            await Upload.StopAsync(exchange).ConfigureAwait(false);
            exchange.KeepClientAlive = false;
            exchange.Upstream = null;
            upstream.Pool.Discard(upstream);
        }
    }

    private static async ValueTask UpgradeAsync(Exchange exchange, ReadResult read)
    {
        UpstreamConnection upstream = exchange.Upstream!;
        exchange.KeepClientAlive = false;
        exchange.IsResponseStarted = true;
        exchange.Record.Status = 101;
        ResponseHeadWriter.Write(exchange, read.Buffer.FirstSpan, exchange.Client.Transport.Output);
        FlushResult sent = await exchange.Client.Transport.Output.FlushAsync().ConfigureAwait(false);
        upstream.Transport.Input.AdvanceTo(read.Buffer.GetPosition(exchange.Response.Length));
        if (sent.IsCompleted) exchange.Record.Reason = ClientGone(exchange);
        else
        {
            if (!exchange.IsUploadStreamed)
            {
                ReadOnlyMemory<byte> buffer = exchange.Head;
                int consumed = exchange.Request.Length + exchange.BufferedBody.Length;
                exchange.KeepHead();
                exchange.Client.Transport.Input.AdvanceTo(PositionIn(buffer, consumed));
            }
            await Tunnel.RunAsync(exchange).ConfigureAwait(false);
        }
        CompletePick(exchange, exchange.Record.Reason);
        exchange.Upstream = null;
        upstream.Pool.Discard(upstream);
    }

    private static void CompletePick(Exchange exchange, EndReason reason)
    {
        PickOutcomeKind kind = reason switch
        {
            EndReason.Completed => exchange.Record.Status >= 500 ? PickOutcomeKind.ServerError : PickOutcomeKind.Success,
            EndReason.TunnelClosed or EndReason.TunnelIdle => PickOutcomeKind.Success,
            EndReason.UpstreamConnectFailed or EndReason.UpstreamUnresolved => PickOutcomeKind.ConnectFailure,
            EndReason.UpstreamConnectTimeout or EndReason.UpstreamHeadTimeout or EndReason.UpstreamIdleTimeout or EndReason.DeadlineExceeded => PickOutcomeKind.Timeout,
            EndReason.UpstreamClosed or EndReason.BadResponse or EndReason.UpstreamTruncated or EndReason.BadResponseBody => PickOutcomeKind.ProtocolFailure,
            _ => PickOutcomeKind.Cancelled,
        };
        long total = exchange.Context.Loop.Time.GetTimestamp() - exchange.Lease.StartTimestamp;
        exchange.Lease.Complete(new PickOutcome(kind, exchange.Record.ConnectTicks, exchange.Record.FirstByteTicks, total));
    }

    private static ValueTask FailAsync(Exchange exchange, EndReason reason)
    {
        exchange.Disarm();
        int status = Responses.StatusOf(reason);
        if (status != 0 && !exchange.IsResponseStarted) return Responses.ErrorAsync(exchange, status, reason, status == 503 ? 1 : 0);
        exchange.Record.Reason = reason;
        exchange.KeepClientAlive = false;
        exchange.Client.Transport.Abort();
        return default;
    }
}
