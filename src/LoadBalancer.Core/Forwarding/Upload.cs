using System.Runtime.CompilerServices;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Streams a request body to the destination beside the answering side, which it tells of failures through <see cref="Exchange.Fail"/>; or to the policies that want it whole.</summary>
internal static class Upload
{
    /// <summary>Moves the body to its end. A receiver that takes no more is noted by <see cref="Exchange.IsUploadStopped"/>.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    internal static async ValueTask RunAsync(Exchange exchange, TransportWriter output, bool writesChunks)
    {
        Http1Connection client = exchange.Client;
        TransportReader input = client.Transport.Input;
        BodyMover mover = exchange.RequestBody;
        mover.Begin(exchange.Request.Framing, exchange.Request.ContentLength, writesChunks, exchange.Request.CopyFieldOptions(exchange.Head.Span));
        mover.Sample = exchange.Record.Bodies?.Request;
        // Policies have not seen them: a client would forge a field in a trailer that a policy takes out of the head.
        mover.DropsTrailers = exchange.Policies is not null;
        long upstreamIdle = exchange.Cluster?.IdleMilliseconds ?? 0; // policies take it without a wait
        long waited = 0;
        while (!mover.IsComplete)
        {
            TransportReader.FillAwaitable filling = input.FillAsync();
            bool isCanceled;
            if (filling.IsCompleted) isCanceled = filling.GetResult();
            else
            {
                exchange.IsUploadReading = true;
                client.ArmBody();
                long from = exchange.Context.Loop.NowMilliseconds;
                isCanceled = await filling;
                waited += exchange.Context.Loop.NowMilliseconds - from;
                exchange.IsUploadReading = false;
                client.Disarm();
            }
            if (exchange.IsUploadStopped || isCanceled || exchange.FailReason != EndReason.None) return;
            bool isEnd = input.IsEnded;
            ValueTask<int> moving = mover.MoveAsync(input.Bytes, output);
            int moved;
            if (moving.IsCompleted) moved = moving.GetAwaiter().GetResult();
            else
            {
                client.ArmUpstreamWrite(upstreamIdle);
                moved = await moving.ConfigureAwait(false);
                client.Disarm();
            }
            exchange.Record.RequestBodyBytes = mover.DataBytes;
            // Behind a complete body stands the next request, which nobody has looked at.
            input.Consume(Math.Max(moved, 0), needsMore: moved >= 0 && !mover.IsComplete);
            if (moved == BodyMover.ReceiverGone)
            {
                // The destination takes no more; it may have answered all the same, which the answering side finds out.
                exchange.IsUploadStopped = true;
                AwaitAnswer(exchange);
                return;
            }
            EndReason reason = moved == BodyMover.Rejected ? EndReason.BadRequestBody
                : exchange.RequestBodyMax >= 0 && mover.DataBytes > exchange.RequestBodyMax ? EndReason.RequestBodyTooLarge
                : !mover.IsComplete && isEnd ? EndReason.ClientAborted
                : !mover.IsComplete && (IsTooSlow(client, waited, mover.DataBytes) || exchange.Context.Loop.NowMilliseconds >= exchange.BodyEndAt) ? EndReason.RequestBodyTimeout
                : EndReason.None;
            if (reason != EndReason.None)
            {
                exchange.Record.Rejection = mover.Rejection;
                exchange.Fail(reason);
                return;
            }
        }
        exchange.IsUploadDone = true;
        AwaitAnswer(exchange);
    }

    // Only now does the destination owe an answer; where the client is waited for to take an interim one, the timer is needed there.
    private static void AwaitAnswer(Exchange exchange)
    {
        if (exchange.IsAwaitingHead && exchange.Phase != ExchangePhase.ClientWrite) exchange.Arm(ExchangePhase.ResponseHead, exchange.Cluster!.ResponseHeadMilliseconds);
    }

    // Only the time spent waiting for the client counts.
    private static bool IsTooSlow(Http1Connection client, long waitedMilliseconds, long bytes)
    {
        Configuration.ListenerLimitsConfig limits = client.Listener.Config.Limits;
        return limits.RequestBodyRateMin > 0 && waitedMilliseconds > limits.RequestBodyRateGrace.TotalMilliseconds
            && bytes < limits.RequestBodyRateMin * waitedMilliseconds / 1000;
    }

    /// <summary>Waits for the end of the upload, where one runs: its await is owed once.</summary>
    internal static ValueTask EndAsync(Exchange exchange)
    {
        if (!exchange.IsUploadRunning) return default;
        exchange.IsUploadRunning = false;
        return exchange.Upload;
    }

    /// <summary>The answer is complete, or will never come: nobody wants the rest of the body.</summary>
    internal static ValueTask StopAsync(Exchange exchange)
    {
        if (exchange.IsUploadRunning && !exchange.Upload.IsCompleted)
        {
            exchange.IsUploadStopped = true;
            if (exchange.IsUploadReading) exchange.Client.Transport.Input.CancelPendingRead();
            exchange.Upstream?.Transport.Abort();
        }
        return EndAsync(exchange);
    }
}
