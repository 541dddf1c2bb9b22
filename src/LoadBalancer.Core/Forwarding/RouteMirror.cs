using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>The mirror of a route: which of its requests are copied, how many at once, and what became of them. Loops share nothing but the sums.</summary>
internal sealed class RouteMirror(MirrorConfig config, ClusterSnapshot cluster, int loopCount)
{
    private readonly LoopCounts?[] _loops = new LoopCounts?[loopCount]; // each element is made by its loop
    private readonly int _underWayMax = Math.Max(1, (config.RequestsMax + loopCount - 1) / loopCount);

    /// <summary>Copies that were begun. Any thread.</summary>
    internal long SentCount => Sum(static loop => Volatile.Read(ref loop.Sent));

    /// <summary>Copies that were due, but too many were under way, no destination was to be had, or the server was draining.</summary>
    internal long DroppedCount => Sum(static loop => Volatile.Read(ref loop.Dropped));

    /// <summary>Copies that were due of requests that are not copied: a body that came after its head, an upgrade, or one too large for a buffer.</summary>
    internal long SkippedCount => Sum(static loop => Volatile.Read(ref loop.Skipped));

    internal ClusterSnapshot Cluster => cluster;

    /// <summary>
    /// Copies a request, if its turn comes. Called when the request has been sent, or is about to be: what this costs comes after. The head, and the body
    /// that came with it, are still in the client's buffer, and are copied out of it here. Never fails.
    /// </summary>
    // Hot path: per request of routes that mirror. 0 allocations. AllocationTests.KeepAliveRequest_OfARouteThatMirrors_AllocatesNothing
    internal void Copy(Exchange exchange)
    {
        LoopContext context = exchange.Context;
        if (config.Percent < 100 && context.Random.Next(100) >= config.Percent) return;
        LoopCounts counts = _loops[context.Loop.Index] ??= new LoopCounts();
        RequestHead request = exchange.Request;
        ReadOnlyMemory<byte> body = exchange.BufferedBody;
        bool isWhole = !request.HasBody || (request.Framing == MessageFraming.ContentLength && request.ContentLength == body.Length);
        if (!isWhole || request.IsUpgrade)
        {
            Volatile.Write(ref counts.Skipped, counts.Skipped + 1);
            return;
        }
        // Nothing waits in line for a copy, nor before it.
        if (counts.UnderWay >= _underWayMax || context.IsDraining || cluster.Queue is { IsUsed: true } || !TryPick(exchange, out PickLease lease))
        {
            Volatile.Write(ref counts.Dropped, counts.Dropped + 1);
            return;
        }
        Mirror mirror = context.Detached.LeaseMirror();
        if (!mirror.TryFill(exchange, cluster, lease))
        {
            context.Detached.Remove(mirror);
            Volatile.Write(ref counts.Skipped, counts.Skipped + 1);
            return;
        }
        Volatile.Write(ref counts.Sent, counts.Sent + 1);
        counts.UnderWay++;
        mirror.Start(counts);
    }

    private bool TryPick(Exchange exchange, out PickLease lease)
    {
        long now = exchange.Context.Loop.Time.GetTimestamp();
        lease = cluster.Scheduler.Pick(new PickContext(now, 0, cluster.HashSource?.KeyOf(exchange) ?? 0));
        return lease.IsActive;
    }

    private long Sum(Func<LoopCounts, long> count)
    {
        long sum = 0;
        for (int i = 0; i < _loops.Length; i++)
            if (Volatile.Read(ref _loops[i]) is { } loop) sum += count(loop);
        return sum;
    }

    /// <summary>What one loop counts. Written by its thread only.</summary>
    internal sealed class LoopCounts
    {
        internal int UnderWay;
        internal long Sent, Dropped, Skipped;
    }
}
