using System.IO.Pipelines;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Streams a request body to the destination beside the answering side, which it tells of failures through <see cref="Exchange.Fail"/>.</summary>
internal static class Upload
{
    internal static async Task RunAsync(Exchange exchange, TransportConnection upstream)
    {
        Http1Connection client = exchange.Client;
        TransportReader input = client.Transport.Input;
        bool chunked = exchange.Request.Framing == MessageFraming.Chunked;
        var mover = new BodyMover(exchange.Request.Framing, exchange.Request.ContentLength, chunked, exchange.Request.CopyFieldOptions(exchange.Head.Span));
        long upstreamIdle = exchange.Cluster!.IdleMilliseconds;
        long waited = 0;
        while (!mover.IsComplete)
        {
            ValueTask<ReadResult> reading = input.ReadAsync();
            ReadResult read;
            if (reading.IsCompleted) read = await reading.ConfigureAwait(false);
            else
            {
                exchange.IsUploadReading = true;
                client.ArmBody();
                long from = exchange.Context.Loop.NowMilliseconds;
                read = await reading.ConfigureAwait(false);
                waited += exchange.Context.Loop.NowMilliseconds - from;
                exchange.IsUploadReading = false;
                client.Disarm();
            }
            if (exchange.IsUploadStopped || read.IsCanceled || exchange.FailReason != EndReason.None)
            {
                input.AdvanceTo(read.Buffer.Start);
                return;
            }
            ValueTask<int> moving = mover.MoveAsync(read.Buffer.First, upstream.Output);
            int moved;
            if (moving.IsCompleted) moved = await moving.ConfigureAwait(false);
            else
            {
                client.ArmUpstreamWrite(upstreamIdle);
                moved = await moving.ConfigureAwait(false);
                client.Disarm();
            }
            exchange.Record.RequestBodyBytes = mover.DataBytes;
            input.AdvanceTo(read.Buffer.GetPosition(Math.Max(moved, 0)), moved < 0 || mover.IsComplete ? read.Buffer.GetPosition(Math.Max(moved, 0)) : read.Buffer.End);
            if (moved == -2)
            {
                // The destination takes no more; it may have answered all the same, which the answering side finds out.
                exchange.IsUploadStopped = true;
                return;
            }
            EndReason reason = moved == -1 ? EndReason.BadRequestBody
                : exchange.RequestBodyMax >= 0 && mover.DataBytes > exchange.RequestBodyMax ? EndReason.RequestBodyTooLarge
                : !mover.IsComplete && read.IsCompleted ? EndReason.ClientAborted
                : !mover.IsComplete && IsTooSlow(client, waited, mover.DataBytes) ? EndReason.RequestBodyTimeout
                : EndReason.None;
            if (reason != EndReason.None)
            {
                exchange.Record.Rejection = mover.Rejection;
                exchange.Fail(reason);
                return;
            }
        }
        exchange.IsUploadDone = true;
        // Only now does the destination owe an answer; where the client is waited for to take an interim one, the timer is needed there.
        if (exchange.IsAwaitingHead && exchange.Phase != ExchangePhase.ClientWrite) exchange.Arm(ExchangePhase.ResponseHead, exchange.Cluster.ResponseHeadMilliseconds);
    }

    // Only the time spent waiting for the client counts.
    private static bool IsTooSlow(Http1Connection client, long waitedMilliseconds, long bytes)
    {
        Configuration.ListenerLimitsConfig limits = client.Listener.Config.Limits;
        return limits.RequestBodyRateMin > 0 && waitedMilliseconds > limits.RequestBodyRateGrace.TotalMilliseconds
            && bytes < limits.RequestBodyRateMin * waitedMilliseconds / 1000;
    }

    /// <summary>The answer is complete, or will never come: nobody wants the rest of the body.</summary>
    internal static async ValueTask StopAsync(Exchange exchange)
    {
        if (exchange.Upload is not { } upload) return;
        if (!upload.IsCompleted)
        {
            exchange.IsUploadStopped = true;
            if (exchange.IsUploadReading) exchange.Client.Transport.Input.CancelPendingRead();
            exchange.Upstream?.Transport.Abort();
        }
        await upload.ConfigureAwait(false);
    }
}
