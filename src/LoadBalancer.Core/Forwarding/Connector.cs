using System.Net;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Opens a connection to a destination, looking its name up first where needed.</summary>
internal static class Connector
{
    /// <summary>A connected connection, held in <see cref="Exchange.Upstream"/>; or false with the cause in <see cref="Exchange.FailReason"/>.</summary>
    internal static async ValueTask<bool> ConnectAsync(Exchange exchange, DestinationState destination)
    {
        LoopContext context = exchange.Context;
        long start = context.Loop.Time.GetTimestamp();
        EndPoint? endPoint = destination.TryGetEndPoint(context.Loop.Time);
        if (endPoint is null)
        {
            exchange.Arm(ExchangePhase.Connect, exchange.Cluster!.ConnectMilliseconds);
            exchange.NameWait = new LoopWait(context.Loop, destination.ResolveAsync(context.Loop.Time));
            await exchange.NameWait;
            exchange.NameWait = null;
            exchange.Disarm();
            if (exchange.FailReason != EndReason.None)
            {
                // Too slow; the look-up goes on beside. Or the client has left meanwhile.
                if (exchange.FailReason == EndReason.UpstreamConnectTimeout) exchange.FailReason = EndReason.UpstreamUnresolved;
                return false;
            }
            endPoint = destination.TryGetEndPoint(context.Loop.Time);
            if (endPoint is null) return Failed(exchange, EndReason.UpstreamUnresolved);
        }
        UpstreamConnection? upstream = destination.PoolOf(context).Create(endPoint);
        if (upstream is null) return Failed(exchange, EndReason.UpstreamOverloaded);
        exchange.Upstream = upstream;
        exchange.Arm(ExchangePhase.Connect, exchange.Cluster!.ConnectMilliseconds);
        ConnectResult result = await upstream.Transport.ConnectAsync().ConfigureAwait(false);
        exchange.Disarm();
        if (result == ConnectResult.Connected && exchange.FailReason == EndReason.None)
        {
            exchange.Record.ConnectTicks = context.Loop.Time.GetTimestamp() - start;
            if (destination.ProxyProtocol != ProxyProtocolVersion.Off)
                ProxyHeaderSender.Collect(upstream.Transport.Output, destination.ProxyProtocol, AddressPair.Of(exchange.Client.Transport));
            return true;
        }
        exchange.Upstream = null;
        upstream.Pool.Discard(upstream);
        destination.ConnectFailed();
        return Failed(exchange, result == ConnectResult.ResourceExhausted ? EndReason.ResourceExhausted : EndReason.UpstreamConnectFailed);
    }

    private static bool Failed(Exchange exchange, EndReason reason)
    {
        if (exchange.FailReason == EndReason.None) exchange.FailReason = reason;
        return false;
    }
}
