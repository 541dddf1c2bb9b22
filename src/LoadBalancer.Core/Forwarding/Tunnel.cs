using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Relays an upgraded connection both ways, with half-close: an end from one side ends one direction only.</summary>
internal static class Tunnel
{
    /// <param name="exchange">The exchange; its destination's connection is at the first byte after the 101.</param>
    internal static async ValueTask RunAsync(Exchange exchange)
    {
        TransportRelay relay = exchange.ClientTransport.CreateRelay(exchange.Upstream!.Transport);
        exchange.Tunnel = relay;
        exchange.DeadlineAt = Timers.LoopTimer.None; // the request is over; what follows is the tunnel's
        exchange.Arm(ExchangePhase.Tunnel, exchange.Cluster!.TunnelIdleMilliseconds);
        await relay.RunAsync().ConfigureAwait(false);
        exchange.Disarm();
        exchange.Record.RequestBodyBytes = relay.ClientBytes;
        exchange.Record.ResponseBodyBytes = relay.UpstreamBytes;
        exchange.Record.Reason = exchange.FailReason != EndReason.None ? exchange.FailReason : ReasonOf(relay);
    }

    /// <summary>Why a relay ended that nobody has cut.</summary>
    internal static EndReason ReasonOf(TransportRelay relay) =>
        relay.ResetBy is not { } side ? EndReason.TunnelClosed : side == relay.Client ? EndReason.ClientAborted : EndReason.UpstreamClosed;
}
