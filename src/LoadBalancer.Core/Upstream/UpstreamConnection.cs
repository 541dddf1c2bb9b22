using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Upstream;

/// <summary>A connection to a destination, in use by one exchange or idle in its <see cref="UpstreamPool"/>. Loop's thread only.</summary>
internal sealed class UpstreamConnection(UpstreamPool pool, TransportConnection transport) : LoopTimer, IConnectionObserver
{
    internal readonly UpstreamPool Pool = pool;
    internal readonly TransportConnection Transport = transport;
    internal UpstreamConnection? Below, Above; // the idle stack of the pool
    internal UpstreamConnection? NextOfClient; // the list of the only client that may rent it again; see ClientUpstreams
    internal bool IsIdle;
    internal bool WasReused;
    internal long ExpiresAt; // milliseconds of the loop's clock

    /// <summary>Something happened while nobody was reading: an idle connection is dead or has said what nobody asked for, unless it was TLS talking to itself.</summary>
    public void OnConnectionEvent(bool readable, bool broken)
    {
        if (IsIdle && (broken || !Transport.IsReusable)) Pool.RemoveIdle(this);
    }

    protected internal override void OnTimeout()
    {
        if (IsIdle) Pool.RemoveIdle(this);
    }
}
