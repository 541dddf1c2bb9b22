using System.IO.Pipelines;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Relays an upgraded connection both ways, with half-close: an end from one side ends one direction only.</summary>
internal static class Tunnel
{
    /// <param name="exchange">The exchange; its destination's connection is at the first byte after the 101.</param>
    internal static async ValueTask RunAsync(Exchange exchange)
    {
        TransportConnection client = exchange.Client.Transport, upstream = exchange.Upstream!.Transport;
        Touch(exchange);
        exchange.DeadlineAt = Timers.LoopTimer.None; // the request is over; what follows is the tunnel's
        exchange.Arm(ExchangePhase.Tunnel, exchange.Cluster!.TunnelIdleMilliseconds);
        Task<long> up = PumpAsync(exchange, client, upstream);
        Task<long> down = PumpAsync(exchange, upstream, client);
        exchange.Record.RequestBodyBytes = await up.ConfigureAwait(false);
        exchange.Record.ResponseBodyBytes = await down.ConfigureAwait(false);
        exchange.Disarm();
        if (exchange.FailReason != EndReason.None) exchange.Record.Reason = exchange.FailReason;
        else if (exchange.Record.Reason == EndReason.None) exchange.Record.Reason = EndReason.TunnelClosed;
    }

    private static void Touch(Exchange exchange) => exchange.TunnelActivityAt = exchange.Context.Loop.NowMilliseconds;

    private static async Task<long> PumpAsync(Exchange exchange, TransportConnection from, TransportConnection to)
    {
        long bytes = 0;
        while (true)
        {
            await from.Input.FillAsync();
            Touch(exchange);
            ReadOnlyMemory<byte> received = from.Input.Bytes;
            if (!received.IsEmpty)
            {
                FlushResult sent = await to.Output.WriteAsync(received).ConfigureAwait(false);
                Touch(exchange);
                bytes += received.Length;
                from.Input.Consume(received.Length);
                if (sent.IsCompleted)
                {
                    NoteReset(exchange, to);
                    from.Abort(); // cannot be delivered any more: the sender must see it
                    return bytes;
                }
                continue;
            }
            NoteReset(exchange, from);
            if (from.Fault != TransportFault.None) to.Abort();
            else to.Output.Complete();
            return bytes;
        }
    }

    // The first reset is the cause. Noted before the other side is aborted for it: that side's pump then aborts this one, and the fault
    // no longer tells a reset.
    private static void NoteReset(Exchange exchange, TransportConnection side)
    {
        if (side.Fault != TransportFault.Reset || exchange.Record.Reason != EndReason.None) return;
        exchange.Record.Reason = side == exchange.Client.Transport ? EndReason.ClientAborted : EndReason.UpstreamClosed;
    }
}
