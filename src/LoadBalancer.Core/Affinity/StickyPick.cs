using LoadBalancer.Balancing;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;

namespace LoadBalancer.Core.Affinity;

/// <summary>Step 1 of forwarding in clusters with sticky sessions.</summary>
internal static class StickyPick
{
    /// <summary>
    /// Picks the destination of the request's cookie, where that is a member in use and has not just failed; else one by policy. One that drains
    /// keeps its sessions (as with nginx and HAProxy), one at its limit does not. Notes the cookie to be set when the request had no such one.
    /// </summary>
    internal static PickLease Pick(StickySessions sticky, Scheduler scheduler, Exchange exchange, in PickContext context)
    {
        StickyTable table = sticky.Table;
        var fields = new RequestFieldLookup(exchange.Request, exchange.Head.Span);
        StickySession? session = sticky.Find(table, ref fields);
        // A retry on the same destination, because a kept connection broke, excludes nobody: it stays with the session.
        PickLease lease = session is null || context.Exclude is not null ? default : scheduler.PickThis(session.Destination, context.Timestamp, whileDraining: true);
        if (!lease.IsActive) lease = scheduler.Pick(context);
        exchange.IsInSession = session is not null && lease.IsActive && ReferenceEquals(session.Destination, lease.Destination);
        bool isKept = !lease.IsActive || (exchange.IsInSession && session!.IsCurrent);
        exchange.SetCookie = isKept ? [] : table.SetCookieFor(lease.Destination);
        return lease;
    }
}
