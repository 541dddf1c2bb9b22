using System.Net;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Opens a connection to a destination, looking its name up first where needed.</summary>
internal static class Connector
{
    /// <summary>A connected connection, held in <see cref="PickOwner.Upstream"/>; or false with the cause in <see cref="PickOwner.FailReason"/>.</summary>
    internal static async ValueTask<bool> ConnectAsync(PickOwner exchange, DestinationState destination)
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
        UpstreamConnection? upstream = destination.PoolOf(context).Create(endPoint, exchange.CarriesHttp);
        if (upstream is null) return Failed(exchange, EndReason.UpstreamOverloaded);
        exchange.Upstream = upstream;
        exchange.Arm(ExchangePhase.Connect, exchange.Cluster!.ConnectMilliseconds);
        AddressPair client = destination.ProxyProtocol == ProxyProtocolVersion.Off ? default : AddressPair.Of(exchange.ClientTransport);
        ConnectResult result = await destination.OpenAsync(upstream.Transport, client).ConfigureAwait(false);
        exchange.Disarm();
        if (result == ConnectResult.Connected && exchange.FailReason == EndReason.None)
        {
            exchange.Record.ConnectTicks = context.Loop.Time.GetTimestamp() - start;
            return true;
        }
        exchange.Upstream = null;
        upstream.Pool.Discard(upstream);
        destination.ConnectFailed();
        return Failed(exchange, ReasonOf(result));
    }

    /// <summary>Why there is no connection.</summary>
    internal static EndReason ReasonOf(ConnectResult result) => result switch
    {
        ConnectResult.ResourceExhausted => EndReason.ResourceExhausted,
        ConnectResult.HandshakeFailed => EndReason.UpstreamTlsFailed,
        ConnectResult.CertificateInvalid => EndReason.UpstreamCertificateInvalid,
        _ => EndReason.UpstreamConnectFailed,
    };

    /// <summary>Why there is no answer on a connection that has ended.</summary>
    internal static EndReason EndOf(TransportConnection upstream) => upstream is TlsConnection { IsRefused: true } ? EndReason.UpstreamTlsFailed : EndReason.UpstreamClosed;

    private static bool Failed(PickOwner exchange, EndReason reason)
    {
        if (exchange.FailReason == EndReason.None) exchange.FailReason = reason;
        return false;
    }
}
