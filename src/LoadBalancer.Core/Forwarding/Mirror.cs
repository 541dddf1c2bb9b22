using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// A copy of a request on its way to a destination of a shadow cluster: reads what it is answered within bounds, so that the connection can be used again, and
/// throws it away. Kept for reuse by its loop.
/// </summary>
internal sealed class Mirror(LoopContext context) : DetachedRequest(context)
{
    /// <summary>Longest answer that is read.</summary>
    internal const int AnswerBytesMax = 1 << 20;

    private RouteMirror.LoopCounts _counts = null!;

    private protected override long BodyBytesMax => AnswerBytesMax;

    /// <summary>Copies the request; see the base.</summary>
    internal bool TryFill(Exchange exchange, ClusterSnapshot cluster, PickLease lease) => TryFill(exchange, cluster, lease, "X-Mirrored: 1\r\n"u8);

    /// <summary>Sends it.</summary>
    internal void Start(RouteMirror.LoopCounts counts)
    {
        _counts = counts;
        Run();
    }

    private protected override void OnEnded(bool isComplete) => _counts.UnderWay--;
}
