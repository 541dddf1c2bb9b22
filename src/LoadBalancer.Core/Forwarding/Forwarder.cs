using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Affinity;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Tracing;
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
    /// <summary>
    /// Steps 1 to 3 for the common case in which none of them has to wait: a kept connection, a request that is all there, room in the socket.
    /// True when the request was sent and the head of the answer is awaited: wait for the destination's connection, then call
    /// <see cref="AnswerAsync"/>. False: go on with <see cref="ForwardAsync"/>, which takes up what was done here.
    /// </summary>
    // Hot path: per request. 0 allocations. AllocationTests.KeepAliveRequest_SteadyState_AllocatesNothing
    internal static bool TrySend(Exchange exchange)
    {
        if (!exchange.IsUploadDone || !exchange.Pick()) return false;
        exchange.Upstream = exchange.TryRent();
        if (exchange.Upstream is null) return false;
        ValueTask<FlushResult> sending = Write(exchange);
        if (!sending.IsCompleted)
        {
            exchange.Sending = sending;
            return false;
        }
        sending.GetAwaiter().GetResult(); // a connection that is gone shows itself when the answer is read
        BeginAnswer(exchange);
        return true;
    }

    /// <summary>Steps 4 to 6, once the destination's connection has something to say after <see cref="TrySend"/>.</summary>
    internal static ValueTask AnswerAsync(Exchange exchange)
    {
        TransportReader input = exchange.Upstream!.Transport.Input;
        if (exchange.FailReason == EndReason.None && exchange.Hedge is not { HasWon: true } && !input.IsEmpty
            && ParseHead(exchange, input) == ParseStatus.Complete && exchange.Response.Status >= 200)
        {
            CompleteHead(exchange);
            return AnswerClientAsync(exchange);
        }
        return ForwardAsync(exchange);
    }

    /// <summary>All steps, waiting where it must, from wherever the exchange stands.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    internal static async ValueTask ForwardAsync(Exchange exchange)
    {
        ClusterSnapshot cluster = exchange.Cluster!;
        while (true)
        {
            // Step 1: pick.
            if (!exchange.Lease.IsActive && !exchange.Pick())
            {
                EndReason refusal = !cluster.HasDestination ? EndReason.NoDestination
                    : cluster.Queue is null ? EndReason.UpstreamOverloaded
                    : await cluster.Queue.WaitAsync(exchange).ConfigureAwait(false);
                if (refusal != EndReason.None)
                {
                    await FailAsync(exchange, refusal).ConfigureAwait(false);
                    return;
                }
            }

            // Step 2: a connection.
            if (exchange.Upstream is null && !exchange.NeedsFreshConnection) exchange.Upstream = exchange.TryRent();
            if (exchange.Upstream is null && !await Connector.ConnectAsync(exchange, exchange.Destination).ConfigureAwait(false))
            {
                CompletePick(exchange, exchange.FailReason);
                // Nothing was sent: repeating is safe whatever the method.
                if (exchange.HasNotConnected && exchange.MayRetry())
                {
                    exchange.FailReason = EndReason.None;
                    exchange.Exclude = exchange.Lease.Destination;
                    continue;
                }
                await FailAsync(exchange, exchange.FailReason).ConfigureAwait(false);
                return;
            }
            UpstreamConnection upstream = exchange.Upstream!;

            // Step 3: send.
            if (!exchange.IsSent)
            {
                ValueTask<FlushResult> sending = exchange.Sending is { } begun ? begun : Write(exchange);
                exchange.Sending = null;
                if (!sending.IsCompleted) exchange.Arm(ExchangePhase.ResponseBody, cluster.IdleMilliseconds);
                await sending.ConfigureAwait(false);
                if (!exchange.IsUploadDone)
                {
                    StartUpload(exchange, upstream.Transport);
                    exchange.Disarm();
                }
                BeginAnswer(exchange);
            }

            // Step 4: the response head.
            if (await ReadHeadAsync(exchange, upstream.Transport).ConfigureAwait(false))
            {
                // Steps 5 and 6.
                if (exchange.Response.Status == 101) await UpgradeAsync(exchange).ConfigureAwait(false);
                else await AnswerClientAsync(exchange).ConfigureAwait(false);
                return;
            }

            EndReason reason = exchange.FailReason != EndReason.None ? exchange.FailReason
                : exchange.Record.Rejection != RejectionReason.None ? EndReason.BadResponse
                : Connector.EndOf(upstream.Transport);
            if (exchange.Hedge is { } hedge)
            {
                if (await hedge.TakesOverAsync(reason).ConfigureAwait(false)) continue;
                if (exchange.FailReason != EndReason.None) reason = exchange.FailReason;
            }
            // Any byte, also one of a head that breaks off or of an interim response, proves that the request was read: what repeating
            // rests on is gone, and the client would get the interim responses of two destinations.
            bool nothingAnswered = reason is EndReason.UpstreamClosed or EndReason.UpstreamTlsFailed && exchange.Record.FirstByteTicks < 0;
            bool retry = nothingAnswered && !exchange.IsUploadStreamed && IsRepeatable(exchange.Request.Method, upstream.WasReused) && exchange.MayRetry();
            CompletePick(exchange, reason);
            upstream.Transport.Abort();
            await Upload.StopAsync(exchange).ConfigureAwait(false);
            exchange.Upstream = null;
            exchange.IsSent = false;
            upstream.Pool.Discard(upstream);
            if (retry)
            {
                // A kept connection that the server closed says nothing against the server: a new one to whichever comes next.
                if (upstream.WasReused) exchange.NeedsFreshConnection = true;
                else exchange.Exclude = exchange.Lease.Destination;
                continue;
            }
            await FailAsync(exchange, reason).ConfigureAwait(false);
            return;
        }
    }

    /// <summary>Step 1 for a request whose turn it is.</summary>
    // The clock is read for a repeated or delayed pick only: the first comes right after the head.
    internal static bool PickNow(Exchange exchange)
    {
        int attempt = exchange.Record.Attempts;
        long now = attempt == 0 && exchange.Queue is null ? exchange.Record.StartTimestamp : exchange.Context.Loop.Time.GetTimestamp();
        ClusterSnapshot cluster = exchange.Cluster!;
        var context = new PickContext(now, attempt, cluster.HashSource?.KeyOf(exchange) ?? 0, exchange.Exclude);
        exchange.Lease = cluster.Sticky is { } sticky ? StickyPick.Pick(sticky, cluster.Scheduler, exchange, context) : cluster.Scheduler.Pick(context);
        if (!exchange.Lease.IsActive) return false;
        cluster.LoadProbing?.AfterPick(exchange.Context, cluster);
        exchange.Destination = (DestinationState)exchange.Lease.Destination.Tag!;
        exchange.Record.Destination = exchange.Destination.Name;
        exchange.Record.Attempts = attempt + 1;
        AttemptCause cause = attempt == 0 ? exchange.IsInSession ? AttemptCause.Session : AttemptCause.First
            : exchange.NeedsFreshConnection && exchange.Exclude is null ? AttemptCause.Reconnect : AttemptCause.Retry;
        exchange.AttemptIndex = exchange.Record.BeginAttempt(exchange.Destination.Name, cause, now);
        if (exchange.Trace is { } trace) trace.Attempt = trace.BeginAttempt(exchange, exchange.Destination.Name, cause, attempt);
        if (attempt > 0) exchange.Record.ConnectTicks = exchange.Record.FirstByteTicks = -1;
        else
        {
            cluster.RetryBudget.CountRequest(exchange.Context.Loop.Index);
            cluster.Hedging?.Budget.CountRequest(exchange.Context.Loop.Index);
        }
        return true;
    }

    // Step 3.
    private static ValueTask<FlushResult> Write(Exchange exchange)
    {
        exchange.Record.ConnectionReused = exchange.Upstream!.WasReused;
        if (exchange.Upstream.WasReused) exchange.Record.ConnectTicks = 0;
        TransportWriter output = exchange.Upstream.Transport.Output;
        RequestHeadWriter.Write(exchange, exchange.Destination, output);
        return exchange.BufferedBody.IsEmpty ? output.FlushAsync() : output.WriteAsync(exchange.BufferedBody);
    }

    internal static void BeginAnswer(Exchange exchange)
    {
        exchange.IsSent = true;
        exchange.Response.Reset();
        exchange.IsAwaitingHead = true;
        if (exchange.IsUploadOver) exchange.Arm(ExchangePhase.ResponseHead, exchange.Cluster!.ResponseHeadMilliseconds);
        if (exchange.Cluster!.Hedging is { } hedging) Hedge.Schedule(exchange, hedging);
    }

    private static void EndHead(Exchange exchange)
    {
        exchange.IsAwaitingHead = false;
        exchange.Disarm();
    }

    // A whole final head stands at the front of the connection's bytes.
    private static void CompleteHead(Exchange exchange)
    {
        EndHead(exchange);
        exchange.UpstreamStatus = exchange.Response.Status;
        if (exchange.Record.Bodies is { } bodies)
            bodies.Response.Begin(BodyLog.KindOf(exchange.Response, exchange.Upstream!.Transport.Input.Bytes.Span), bodies.Rules.ResponseBytes);
        if (exchange.Cluster!.Hedging is not { } hedging) return;
        exchange.Hedge?.Lose();
        hedging.Learn(exchange);
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
        exchange.KeepHead();
        exchange.Client.Transport.Input.Consume(exchange.WireHeadLength);
        exchange.IsUploadRunning = exchange.IsUploadStreamed = true;
#pragma warning disable CA2012 // awaited once, by Upload.StopAsync: IsUploadRunning says whether it is owed
        exchange.Upload = Upload.RunAsync(exchange, upstream.Output, exchange.Request.Framing == MessageFraming.Chunked);
#pragma warning restore CA2012
    }

    private static ParseStatus ParseHead(Exchange exchange, TransportReader input)
    {
        if (exchange.Record.FirstByteTicks < 0) exchange.Record.FirstByteTicks = exchange.Context.Loop.Time.GetTimestamp() - exchange.Record.StartTimestamp;
        return exchange.Response.Parse(input.Bytes.Span, exchange.Cluster!.HeadLimits, exchange.Request.Method);
    }

    /// <summary>Step 4. True when a final head, or a switch of protocols that was asked for, stands at the front of the connection's bytes.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<bool> ReadHeadAsync(Exchange exchange, TransportConnection upstream)
    {
        ResponseHead response = exchange.Response;
        TransportReader input = upstream.Input;
        while (true)
        {
            bool isCanceled = await input.FillAsync();
            if (exchange.Hedge is { HasWon: true })
            {
                EndHead(exchange);
                return false; // and go on with its connection
            }
            ParseStatus status = input.IsEmpty ? ParseStatus.NeedMore : ParseHead(exchange, input);
            if (status == ParseStatus.Complete && exchange.FailReason == EndReason.None)
            {
                if (response.Status >= 200 || (response.Status == 101 && UpgradeProtocols.WereOffered(exchange, input.Bytes.Span)))
                {
                    CompleteHead(exchange);
                    return true;
                }
                if (response.Status == 101)
                {
                    EndHead(exchange);
                    exchange.Record.Rejection = RejectionReason.BadStatus; // RFC 9110 §15.2.2: a switch that nobody asked for
                    return false;
                }
                exchange.Hedge?.Lose(); // of two destinations the client would get the interim responses of both
                // RFC 9110 §15.2: interim responses are passed on, but not to HTTP/1.0.
                if (exchange.Request.MinorVersion > 0 && !await InterimAsync(exchange, input.Bytes.Span).ConfigureAwait(false)) return false;
                input.Consume(response.Length);
                response.Reset();
                continue;
            }
            if (status == ParseStatus.Rejected || input.IsEnded || isCanceled || exchange.FailReason != EndReason.None)
            {
                EndHead(exchange);
                if (status == ParseStatus.Rejected) exchange.Record.Rejection = response.Rejection;
                return false;
            }
            input.Consume(0, needsMore: true);
        }
    }

    private static ValueTask<bool> InterimAsync(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        TransportWriter output = exchange.Client.Transport.Output;
        ResponseHeadWriter.Write(exchange, bytes, output);
        return SendAsync(exchange);

        [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
        static async ValueTask<bool> SendAsync(Exchange exchange)
        {
            FlushResult sent = await exchange.WhileClientTakesAsync(exchange.Client.Transport.Output.FlushAsync()).ConfigureAwait(false);
            if (sent.IsCompleted && exchange.FailReason == EndReason.None) exchange.FailReason = EndReason.ClientAborted;
            // Had the client to be waited for, its timer took the place of the destination's.
            if (exchange.IsUploadOver && exchange.Phase != ExchangePhase.ResponseHead) exchange.Arm(ExchangePhase.ResponseHead, exchange.Cluster!.ResponseHeadMilliseconds);
            return !sent.IsCompleted;
        }
    }

    // Step 5: the cache and the policies first.
    private static ValueTask AnswerClientAsync(Exchange exchange)
    {
        if (exchange.UpstreamStatus == 503) exchange.HoldTicks = HoldRequest.TicksOf(exchange, exchange.Upstream!.Transport.Input.Bytes.Span);
        if (exchange.Cache is not null && CacheAnswer.TryReplace(exchange, out ValueTask answer)) return answer;
        return exchange.Policies is { HasResponsePolicies: true } policies ? policies.RelayAsync() : RelayAsync(exchange);
    }

    // Step 5. Whole small answers take one write and no wait.
    internal static ValueTask RelayAsync(Exchange exchange)
    {
        TransportConnection upstream = exchange.Upstream!.Transport;
        TransportWriter output = exchange.Client.Transport.Output;
        ResponseHead response = exchange.Response;
        ReadOnlyMemory<byte> bytes = upstream.Input.Bytes;
        ReadOnlyMemory<byte> head = HeadOf(exchange, bytes, out int start);
        int rest = bytes.Length - start;
        exchange.Record.Status = response.Status;
        exchange.IsResponseStarted = true;
        // RFC 9112 §9.6: after a final answer to a body that will not come, or that the destination will not read to its end, the
        // connection cannot go on; the client is told.
        if (!exchange.IsUploadDone && (!response.KeepAlive || (exchange.Request.ExpectContinue && exchange.Record.RequestBodyBytes == 0))) exchange.KeepClientAlive = false;
        if (exchange.Client.IsDraining) exchange.KeepClientAlive = false;
        if (exchange.IsBodyUnsent) CacheHit.WriteNotModified(exchange, exchange.Cache!.Fetch.Head!);
        else ResponseHeadWriter.Write(exchange, head.Span, output);

        long length = response.Framing == MessageFraming.None ? 0 : response.Framing == MessageFraming.ContentLength ? response.ContentLength : long.MaxValue;
        if (length > rest) return RelayBodyAsync(exchange);
        exchange.Record.Bodies?.Response.Append(bytes.Span.Slice(start, (int)length));
        exchange.Cache?.Fetch.Complete(bytes.Span.Slice(start, (int)length), exchange.Context.UnixMilliseconds);
        if (!exchange.KeepClientAlive && exchange.IsUploadDone) output.EndFollows();
        bool isSent = length > 0 && !exchange.IsBodyUnsent;
        ValueTask<FlushResult> sending = isSent ? output.WriteAsync(bytes.Slice(start, (int)length)) : output.FlushAsync();
        exchange.Record.ResponseBodyBytes = isSent ? length : 0;
        return sending.IsCompleted
            ? EndWhole(exchange, sending.GetAwaiter().GetResult(), rest == (int)length)
            : WaitAsync(exchange, sending, rest == (int)length);

        [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
        static async ValueTask WaitAsync(Exchange exchange, ValueTask<FlushResult> sending, bool isAll)
        {
            FlushResult sent = await exchange.WhileClientTakesAsync(sending).ConfigureAwait(false);
            await EndWhole(exchange, sent, isAll).ConfigureAwait(false);
        }

        static ValueTask EndWhole(Exchange exchange, FlushResult sent, bool isAll)
        {
            TransportReader input = exchange.Upstream!.Transport.Input;
            // Bytes that nobody asked for: they must not meet the next request.
            bool isClean = isAll && !input.IsEnded;
            input.Consume(input.Bytes.Length);
            return FinishAsync(exchange, sent.IsCompleted ? ClientGone(exchange) : EndReason.Completed, isClean);
        }
    }

    // The destination's head, or what policies have made of it; and where the content begins in the destination's bytes.
    private static ReadOnlyMemory<byte> HeadOf(Exchange exchange, ReadOnlyMemory<byte> bytes, out int start)
    {
        if (exchange.Policies is { HasResponsePolicies: true } policies)
        {
            start = policies.ResponseWireLength;
            return policies.ResponseHead.IsEmpty ? bytes : policies.ResponseHead;
        }
        start = exchange.Response.Length;
        return bytes;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private static async ValueTask RelayBodyAsync(Exchange exchange)
    {
        bool isUnsent = exchange.IsBodyUnsent;
        bool writesChunks = exchange.Response.Framing != MessageFraming.ContentLength && exchange.Request.MinorVersion > 0 && !isUnsent;
        TransportWriter output = isUnsent ? DiscardingWriter.Instance : exchange.Client.Transport.Output;
        if (isUnsent) await exchange.WhileClientTakesAsync(exchange.Client.Transport.Output.FlushAsync()).ConfigureAwait(false);
        (EndReason reason, bool isClean) = await MoveBodyAsync(exchange, output, writesChunks).ConfigureAwait(false);
        await FinishAsync(exchange, reason, isClean).ConfigureAwait(false);
    }

    /// <summary>Has the whole body of an answer moved to a policy, which waits for it. A receiver that takes no more is "the client aborted".</summary>
    internal static ValueTask<(EndReason Reason, bool IsClean)> ReadBodyAsync(Exchange exchange, TransportWriter output) => MoveBodyAsync(exchange, output, writesChunks: false);

    /// <summary>Moves the body behind the head at the front of the destination's bytes; whether the connection is clean behind it.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<(EndReason Reason, bool IsClean)> MoveBodyAsync(Exchange exchange, TransportWriter output, bool writesChunks)
    {
        TransportConnection upstream = exchange.Upstream!.Transport;
        TransportReader input = upstream.Input;
        ResponseHead response = exchange.Response;
        BodyMover mover = exchange.ResponseBody;
        ReadOnlyMemory<byte> head = HeadOf(exchange, input.Bytes, out int skip);
        mover.Begin(response.Framing, response.ContentLength, writesChunks, response.CopyFieldOptions(head.Span));
        mover.Capture = exchange.Cache?.Fetch.Body;
        mover.Sample = exchange.Record.Bodies?.Response;
        bool isSent = output == exchange.Client.Transport.Output;
        long readIdle = exchange.Cluster!.IdleMilliseconds;
        while (true)
        {
            bool isEnd = input.IsEnded;
            // A close-delimited body ends with an orderly end only; a reset is a truncation.
            bool endsHere = isEnd && response.Framing == MessageFraming.UntilClose && upstream.Fault == TransportFault.None && exchange.FailReason == EndReason.None;
            ReadOnlyMemory<byte> bytes = input.Bytes[skip..];
            ValueTask<int> moving = mover.MoveAsync(bytes, output);
            int moved;
            if (moving.IsCompleted) moved = moving.GetAwaiter().GetResult();
            else
            {
                exchange.BeginClientWait();
                moved = await moving.ConfigureAwait(false);
                exchange.EndClientWait();
            }
            if (isSent) exchange.Record.ResponseBodyBytes = mover.DataBytes;
            // Only so much lies in memory on its way to a disk.
            if (mover.Capture is { IsBehind: true } capture) await new LoopWait(exchange.Context.Loop, capture.Disk!.CaughtUpAsync());
            if (moved == BodyMover.Rejected)
            {
                exchange.Record.Rejection = mover.Rejection;
                return (EndReason.BadResponseBody, false);
            }
            if (moved == BodyMover.ReceiverGone) return (ClientGone(exchange), false);
            if (mover.IsComplete)
            {
                bool isClean = moved == bytes.Length && !isEnd;
                input.Consume(input.Bytes.Length);
                return (EndReason.Completed, isClean);
            }
            input.Consume(skip + moved, needsMore: true);
            skip = 0;
            if (endsHere)
            {
                mover.EndUntilClose(output);
                FlushResult sent = await exchange.WhileClientTakesAsync(output.FlushAsync()).ConfigureAwait(false);
                return (sent.IsCompleted ? ClientGone(exchange) : EndReason.Completed, false);
            }
            if (isEnd) return (exchange.FailReason != EndReason.None ? exchange.FailReason : EndReason.UpstreamTruncated, false);

            TransportReader.FillAwaitable filling = input.FillAsync();
            if (filling.IsCompleted) continue;
            exchange.Arm(ExchangePhase.ResponseBody, readIdle);
            await filling;
            exchange.Disarm();
        }
    }

    /// <summary>Steps 4 to 6 for an answer that is not sent on, since something else is sent in its place: gives the connection back and completes the pick.</summary>
    internal static ValueTask EndUnsentAsync(Exchange exchange)
    {
        ResponseHead response = exchange.Response;
        TransportReader input = exchange.Upstream!.Transport.Input;
        HeadOf(exchange, input.Bytes, out int start);
        long length = response.Framing == MessageFraming.None ? 0 : response.Framing == MessageFraming.ContentLength ? response.ContentLength : long.MaxValue;
        bool isClean = input.Bytes.Length - start == length && !input.IsEnded && exchange.FailReason == EndReason.None;
        input.Consume(input.Bytes.Length);
        return EndReadAsync(exchange, EndReason.Completed, isClean);
    }

    /// <summary>Step 6 for an answer that was read, and not sent: gives the connection back and completes the pick.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    internal static async ValueTask EndReadAsync(Exchange exchange, EndReason reason, bool isClean)
    {
        exchange.Disarm();
        CompletePick(exchange, reason);
        if (exchange.IsUploadRunning && !exchange.Upload.IsCompleted) exchange.KeepClientAlive = isClean = false;
        await Upload.StopAsync(exchange).ConfigureAwait(false);
        UpstreamConnection upstream = exchange.Upstream!;
        exchange.Upstream = null;
        if (isClean && reason == EndReason.Completed && exchange.Response.KeepAlive && exchange.IsUploadDone) exchange.Return(upstream);
        else upstream.Pool.Discard(upstream);
        if (exchange.Hedge is { IsRunning: true } hedge) await hedge.EndAsync().ConfigureAwait(false);
    }

    private static EndReason ClientGone(Exchange exchange) => exchange.FailReason != EndReason.None ? exchange.FailReason : EndReason.ClientAborted;

    // Step 6. Not async itself where nothing is left to wait for.
    private static ValueTask FinishAsync(Exchange exchange, EndReason reason, bool isUpstreamClean)
    {
        UpstreamConnection upstream = exchange.Upstream!;
        ResponseHead response = exchange.Response;
        exchange.Disarm();
        exchange.Record.Reason = reason;
        CompletePick(exchange, reason);
        if (reason == EndReason.Completed) exchange.Cache?.Fetch.Complete([], exchange.Context.UnixMilliseconds);
        else
        {
            // The answer has begun and cannot be completed: the client must see that, so its connection is reset.
            exchange.KeepClientAlive = false;
            exchange.Client.Transport.Abort();
        }
        bool isReusable = isUpstreamClean && reason == EndReason.Completed && response.KeepAlive && response.Framing != MessageFraming.UntilClose;
        if (exchange.IsUploadRunning) return EndUploadAsync(exchange, upstream, isReusable);
        Release(exchange, upstream, isReusable);
        return exchange.Hedge is { IsRunning: true } hedge ? hedge.EndAsync() : default;

        [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
        static async ValueTask EndUploadAsync(Exchange exchange, UpstreamConnection upstream, bool isReusable)
        {
            if (!exchange.Upload.IsCompleted) exchange.KeepClientAlive = isReusable = false;
            await Upload.StopAsync(exchange).ConfigureAwait(false);
            Release(exchange, upstream, isReusable);
        }

        static void Release(Exchange exchange, UpstreamConnection upstream, bool isReusable)
        {
            exchange.Upstream = null;
            if (isReusable && exchange.IsUploadDone) exchange.Return(upstream);
            else upstream.Pool.Discard(upstream);
        }
    }

    private static async ValueTask UpgradeAsync(Exchange exchange)
    {
        UpstreamConnection upstream = exchange.Upstream!;
        TransportReader input = upstream.Transport.Input;
        exchange.KeepClientAlive = false;
        exchange.IsResponseStarted = true;
        exchange.Record.Status = 101;
        exchange.Shedding?.Leave(exchange, exchange.Context.Loop.Time.GetTimestamp());
        ResponseHeadWriter.Write(exchange, input.Bytes.Span, exchange.Client.Transport.Output);
        FlushResult sent = await exchange.WhileClientTakesAsync(exchange.Client.Transport.Output.FlushAsync()).ConfigureAwait(false);
        input.Consume(exchange.Response.Length);
        // RFC 9110 §7.8: the new protocol begins after the whole request; until then the client's bytes are the upload's.
        await Upload.EndAsync(exchange).ConfigureAwait(false);
        if (sent.IsCompleted) exchange.Record.Reason = ClientGone(exchange);
        else if (!exchange.IsUploadDone)
        {
            exchange.Record.Reason = exchange.FailReason != EndReason.None ? exchange.FailReason : EndReason.UpstreamClosed;
            exchange.Client.Transport.Abort();
            upstream.Transport.Abort();
        }
        else
        {
            if (!exchange.IsHeadKept)
            {
                exchange.KeepHead();
                exchange.Client.Transport.Input.Consume(exchange.WireHeadLength + exchange.WireBodyLength);
            }
            exchange.LetGo();
            await Tunnel.RunAsync(exchange).ConfigureAwait(false);
        }
        CompletePick(exchange, exchange.Record.Reason);
        exchange.Upstream = null;
        upstream.Pool.Discard(upstream);
    }

    /// <summary>What the end of an attempt says about the destination.</summary>
    /// <param name="reason">Of the attempt.</param>
    /// <param name="status">Of a complete answer.</param>
    /// <param name="isSilentReuse">A kept connection on which not a byte came.</param>
    internal static PickOutcomeKind KindOf(EndReason reason, int status, bool isSilentReuse)
    {
        return reason switch
        {
            EndReason.Completed => status >= 500 ? PickOutcomeKind.ServerError : status == 429 ? PickOutcomeKind.Refused : PickOutcomeKind.Success,
            EndReason.TunnelClosed or EndReason.TunnelIdle => PickOutcomeKind.Success,
            EndReason.UpstreamConnectFailed or EndReason.UpstreamUnresolved or EndReason.UpstreamTlsFailed or EndReason.UpstreamCertificateInvalid => PickOutcomeKind.ConnectFailure,
            EndReason.UpstreamConnectTimeout or EndReason.UpstreamHeadTimeout or EndReason.UpstreamIdleTimeout or EndReason.DeadlineExceeded => PickOutcomeKind.Timeout,
            // What a kept connection's end means is told by the attempt on a fresh one: servers close idle ones, and restart.
            EndReason.UpstreamClosed when isSilentReuse => PickOutcomeKind.Cancelled,
            EndReason.UpstreamClosed or EndReason.BadResponse or EndReason.UpstreamTruncated or EndReason.BadResponseBody => PickOutcomeKind.ProtocolFailure,
            _ => PickOutcomeKind.Cancelled,
        };
    }

    internal static void CompletePick(Exchange exchange, EndReason reason)
    {
        bool isSilentReuse = exchange.Upstream is { WasReused: true } && exchange.Record.FirstByteTicks < 0;
        PickOutcomeKind kind = KindOf(reason, exchange.UpstreamStatus, isSilentReuse);
        long now = exchange.Context.Loop.Time.GetTimestamp();
        exchange.EndTimestamp = now;
        // The record counts from the request's start, balancing from the pick: what came before is not the destination's doing.
        long before = exchange.Lease.StartTimestamp - exchange.Record.StartTimestamp, firstByte = exchange.Record.FirstByteTicks;
        var outcome = new PickOutcome(kind, exchange.Record.ConnectTicks, firstByte < 0 ? -1 : firstByte - before, now - exchange.Lease.StartTimestamp, exchange.HoldTicks);
        if (exchange.Lease.IsActive)
        {
            exchange.Context.NoteAttempt(exchange.Lease, outcome);
            bool wasReused = exchange.Upstream is { WasReused: true };
            exchange.Record.EndAttempt(exchange.AttemptIndex, reason, exchange.UpstreamStatus, wasReused, outcome);
            if (exchange.Trace is { } trace) RequestTrace.EndAttempt(trace.Attempt, reason, exchange.UpstreamStatus, wasReused, outcome, exchange.Context.Loop.Time.GetUtcNow());
        }
        exchange.Lease.Complete(outcome);
        exchange.Cluster!.Freed();
    }

    /// <summary>After an exception, from wherever the exchange stands: gives back what it holds. The client's connection is aborted.</summary>
    internal static async ValueTask AbandonAsync(Exchange exchange)
    {
        exchange.Fail(EndReason.InternalError);
        await Upload.StopAsync(exchange).ConfigureAwait(false);
        if (exchange.Hedge is { } hedge) await hedge.EndAsync().ConfigureAwait(false);
        CompletePick(exchange, EndReason.InternalError);
        if (exchange.Upstream is not { } upstream) return;
        exchange.Upstream = null;
        upstream.Pool.Discard(upstream);
    }

    /// <summary>The request has failed for that reason: the client is told, where it still can be.</summary>
    internal static ValueTask FailAsync(Exchange exchange, EndReason reason)
    {
        exchange.Disarm();
        if (exchange.Cache is not null && CacheAnswer.TryReplace(exchange, reason, out ValueTask answer)) return answer;
        int status = Responses.StatusOf(reason);
        if (status != 0 && !exchange.IsResponseStarted) return Responses.ErrorAsync(exchange, status, reason, status == 503 ? 1 : 0);
        exchange.Record.Reason = reason;
        exchange.KeepClientAlive = false;
        exchange.Client.Transport.Abort();
        return default;
    }
}
