using LoadBalancer.Admin.Routing;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/upgrade</c>: another process takes the work over.</summary>
/// <param name="admin">Knows who sees to it, or why nobody can.</param>
internal sealed class UpgradeEndpoint(AdminServer admin)
{
    internal async Task Post(AdminExchange exchange, CancellationToken aborted)
    {
        if (admin.Upgrader is not { } upgrader)
        {
            await exchange.Refuse(409, admin.UpgradeProblem ?? "sockets can be handed over where the admin listener is a Unix socket, with the epoll transport of Linux, and by the lb program only").ConfigureAwait(false);
            return;
        }
        UpgradeReport report = await upgrader.UpgradeAsync(exchange.Who).ConfigureAwait(false);
        if (report.ProcessId is { } process) await exchange.Json(200, new UpgradeAnswer(process, report.Version), AdminJson.Default.UpgradeAnswer).ConfigureAwait(false);
        else await exchange.Refuse(500, report.Problem!).ConfigureAwait(false);
    }
}

/// <summary>Which process serves now, and its version, where it has said.</summary>
internal sealed record UpgradeAnswer(int ProcessId, string? Version);
