using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/live</c>: the process answers. <c>/ready</c>: it takes clients' requests, so not yet while it starts and no longer from the moment it is told to stop.</summary>
internal sealed class StatusEndpoints(ProxyServer proxy)
{
    internal static Task Live(AdminExchange exchange, CancellationToken aborted) => exchange.Json(200, new StatusEntry("live"), AdminJson.Default.StatusEntry);

    internal Task Ready(AdminExchange exchange, CancellationToken aborted) => proxy.IsServing
        ? exchange.Json(200, new StatusEntry("ready"), AdminJson.Default.StatusEntry)
        : exchange.Refuse(503, "it starts or stops, and takes no requests");
}

internal sealed record StatusEntry(string Status);
