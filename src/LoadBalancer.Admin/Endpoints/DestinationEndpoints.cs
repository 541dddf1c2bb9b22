using LoadBalancer.Admin.Registration;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/clusters/{cluster}/destinations</c>: who gets the requests of a cluster. What takes something out is in effect before it is answered.</summary>
internal sealed class DestinationEndpoints(ProxyServer proxy, Registry registry, ILogger logger)
{
    internal Task List(AdminExchange exchange, CancellationToken aborted)
    {
        if (Cluster(exchange, out string cluster) is null) return NoCluster(exchange);
        registry.Apply(cluster);
        DestinationEntry[] entries = [.. proxy.DescribeDestinations(cluster).Select(view => Entry(cluster, view))];
        return exchange.Json(200, new DestinationList(cluster, entries), AdminJson.Default.DestinationList);
    }

    internal Task Show(AdminExchange exchange, CancellationToken aborted)
    {
        if (Cluster(exchange, out string cluster) is null) return NoCluster(exchange);
        registry.Apply(cluster);
        return Show(exchange, cluster, 200);
    }

    internal Task Register(AdminExchange exchange, CancellationToken aborted)
    {
        if (Cluster(exchange, out string cluster) is not { } config) return NoCluster(exchange);
        string id = exchange.Value(1);
        if (!config.Registration)
            return exchange.Refuse(403, $"cluster {CharacterText.Quote(cluster)} takes no registrations; set \"registration\": true in its configuration");
        if (DestinationId.ProblemOf(id) is { } problem) return exchange.Refuse(400, $"{CharacterText.Quote(id)} {problem}");
        if (!RegistrationRequest.TryRead(exchange.Request.Body, out RegistrationRequest? request, out string detail, out IReadOnlyList<FieldProblem> problems))
            return exchange.Refuse(400, detail, problems);
        if (!registry.Has(cluster, id) && proxy.DescribeDestination(cluster, id) is { } other && other.Source != Registry.Source)
            return exchange.Refuse(409, $"{CharacterText.Quote(id)} is a destination of the cluster already, from {other.Source}; register under another name");

        switch (registry.Put(cluster, id, request!.Destination, request.Lease))
        {
            case RegistryChange.Added:
                AdminLog.Registered(logger, cluster, id, request.Destination.Address, exchange.Who, request.Lease);
                proxy.Events.Add(ServerEventKind.DestinationRegistered, $"{cluster}/{id}", $"registered at {request.Destination.Address} for {DurationText.Format(request.Lease)}", exchange.Who);
                return Registered(exchange, cluster, id, request, 201);
            case RegistryChange.Changed:
                AdminLog.Changed(logger, cluster, id, exchange.Who, request.Destination);
                proxy.Events.Add(ServerEventKind.DestinationChanged, $"{cluster}/{id}", $"registered anew with other settings, at {request.Destination.Address}", exchange.Who);
                return Registered(exchange, cluster, id, request, 200);
            case RegistryChange.Renewed:
                AdminLog.Renewed(logger, cluster, id, exchange.Who);
                return Registered(exchange, cluster, id, request, 200);
            default:
                exchange.Response.AddField("Retry-After", "30");
                return exchange.Refuse(503, $"the cluster has {Registry.DestinationsMax} registered destinations, the most there may be");
        }
    }

    internal async Task Remove(AdminExchange exchange, CancellationToken aborted)
    {
        string id = exchange.Value(1);
        if (Cluster(exchange, out string cluster) is null) await NoCluster(exchange).ConfigureAwait(false);
        else if (await registry.RemoveAsync(cluster, id).ConfigureAwait(false))
        {
            AdminLog.Removed(logger, cluster, id, exchange.Who);
            proxy.Events.Add(ServerEventKind.DestinationRemoved, $"{cluster}/{id}", "its registration was taken back", exchange.Who);
            await exchange.Empty(204).ConfigureAwait(false);
        }
        else if (proxy.DescribeDestination(cluster, id) is { } other)
            await exchange.Refuse(409, $"{CharacterText.Quote(id)} is not registered: it comes from {other.Source}; take it out there, or drain it").ConfigureAwait(false);
        else await NoDestination(exchange, cluster).ConfigureAwait(false);
    }

    internal Task Drain(AdminExchange exchange, CancellationToken aborted) => SetDraining(exchange, true);

    internal Task Enable(AdminExchange exchange, CancellationToken aborted) => SetDraining(exchange, false);

    private Task SetDraining(AdminExchange exchange, bool drains)
    {
        if (Cluster(exchange, out string cluster) is null) return NoCluster(exchange);
        string id = exchange.Value(1);
        registry.Apply(cluster);
        if (!proxy.SetDraining(cluster, id, drains, exchange.Who)) return NoDestination(exchange, cluster);
        if (drains) AdminLog.Draining(logger, cluster, id, exchange.Who);
        else AdminLog.Enabled(logger, cluster, id, exchange.Who);
        return Show(exchange, cluster, 200);
    }

    private ClusterConfig? Cluster(AdminExchange exchange, out string name)
    {
        name = exchange.Value(0);
        return proxy.Config.Clusters.GetValueOrDefault(name);
    }

    private Task NoCluster(AdminExchange exchange) => exchange.Refuse(
        404, $"there is no cluster {CharacterText.Quote(exchange.Value(0))}{Suggestion.Text(exchange.Value(0), [.. proxy.Config.Clusters.Keys])}");

    private static Task NoDestination(AdminExchange exchange, string cluster) =>
        exchange.Refuse(404, $"cluster {CharacterText.Quote(cluster)} has no destination {CharacterText.Quote(exchange.Value(1))}");

    private Task Show(AdminExchange exchange, string cluster, int status) => proxy.DescribeDestination(cluster, exchange.Value(1)) is { } view
        ? exchange.Json(status, Entry(cluster, view), AdminJson.Default.DestinationEntry)
        : NoDestination(exchange, cluster);

    // Not looked up in the server: it may come to it a moment later, with others.
    private Task Registered(AdminExchange exchange, string cluster, string id, RegistrationRequest request, int status)
    {
        if (status == 201) exchange.Response.AddField("Location", $"/clusters/{Uri.EscapeDataString(cluster)}/destinations/{Uri.EscapeDataString(id)}");
        return exchange.Json(status, new RegistrationEntry(id, request.Destination.Address, DurationText.Format(request.Lease), registry.Find(cluster, id)?.ExpiresAt), AdminJson.Default.RegistrationEntry);
    }

    private DestinationEntry Entry(string cluster, DestinationView view)
    {
        RegistrationView? registration = view.Source == Registry.Source ? registry.Find(cluster, view.Name) : null;
        return DestinationEntry.Of(view, registration is null ? null : DurationText.Format(registration.Lease), registration?.ExpiresAt);
    }
}

/// <summary>The answer to a registration.</summary>
internal sealed record RegistrationEntry(string Name, string Address, string Lease, DateTimeOffset? ExpiresAt);
