using System.Buffers;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/trace</c>: the requests that have ended last, as the access log would tell of them.</summary>
internal sealed class TraceEndpoints(ProxyServer proxy)
{
    private const int CountDefault = 50, CountMax = 500;

    /// <summary>The newest first: <c>?cluster=X</c> for those of one cluster, <c>?count=N</c> for how many.</summary>
    internal async Task List(AdminExchange exchange, CancellationToken aborted)
    {
        string? cluster = null;
        int count = CountDefault;
        foreach ((string name, string value) in QueryText.Read(exchange.Request.Query))
        {
            if (name == "cluster") cluster = value;
            else if (name != "count")
            {
                await exchange.Refuse(400, $"the query has the unknown {CharacterText.Quote(name)}; expected \"cluster\" or \"count\"").ConfigureAwait(false);
                return;
            }
            else if (!int.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out count) || count is < 1 or > CountMax)
            {
                await exchange.Refuse(400, $"\"count\" is {CharacterText.Quote(value)}; expected 1 to {CountMax}").ConfigureAwait(false);
                return;
            }
        }
        string[] names = [.. proxy.Config.Clusters.Keys];
        if (cluster is not null && !names.Contains(cluster))
        {
            await exchange.Refuse(404, $"there is no cluster {CharacterText.Quote(cluster)}{Suggestion.Text(cluster, names)}").ConfigureAwait(false);
            return;
        }
        IReadOnlyList<RecentRequest> found = await proxy.DescribeRecentAsync(cluster, countMax: count).ConfigureAwait(false);
        await Write(exchange, found.Take(count)).ConfigureAwait(false);
    }

    /// <summary>Those with that request id or trace id: a client may have sent it several times.</summary>
    internal async Task Show(AdminExchange exchange, CancellationToken aborted)
    {
        IReadOnlyList<RecentRequest> found = await proxy.DescribeRecentAsync(id: exchange.Value(0)).ConfigureAwait(false);
        if (found.Count > 0) await Write(exchange, found).ConfigureAwait(false);
        else if (proxy.Config.RecentRequests == 0) await exchange.Refuse(404, "no requests are kept; see \"recentRequests\" of the configuration").ConfigureAwait(false);
        else await exchange.Refuse(404, $"no request {CharacterText.Quote(exchange.Value(0))} is among the last that have ended").ConfigureAwait(false);
    }

    private static Task Write(AdminExchange exchange, IEnumerable<RecentRequest> requests)
    {
        exchange.Response.Status = 200;
        exchange.Response.AddField("Content-Type", "application/json");
        exchange.Response.AddField("X-Content-Type-Options", "nosniff");
        var body = exchange.Response.Body;
        body.Write("{\"requests\":["u8);
        bool isFirst = true;
        foreach (RecentRequest request in requests)
        {
            body.Write(isFirst ? "\n"u8 : ",\n"u8);
            body.Write(request.Json);
            isFirst = false;
        }
        body.Write("\n]}\n"u8);
        return Task.CompletedTask;
    }
}
