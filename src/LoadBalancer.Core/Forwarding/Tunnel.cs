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
        exchange.Record.Reason = exchange.FailReason != EndReason.None ? exchange.FailReason
            : upstream.Fault != TransportFault.None ? EndReason.UpstreamClosed
            : client.Fault != TransportFault.None ? EndReason.ClientAborted
            : EndReason.TunnelClosed;
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
                    from.Abort(); // cannot be delivered any more: the sender must see it
                    return bytes;
                }
                continue;
            }
            if (from.Fault != TransportFault.None) to.Abort();
            else to.Output.Complete();
            return bytes;
        }
    }
}
