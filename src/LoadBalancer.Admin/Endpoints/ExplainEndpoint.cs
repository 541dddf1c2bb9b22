using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/explain</c>: where a request would go now. What a policy would say of it is for <c>lb explain</c>, which rehearses it.</summary>
internal sealed class ExplainEndpoint(ProxyServer proxy)
{
    internal Task Get(AdminExchange exchange, CancellationToken aborted)
    {
        if (exchange.Query("url") is not { } url) return exchange.Refuse(400, "\"url\" is missing; expected /explain?url=https%3A%2F%2Fexample.com%2Fpath");
        try
        {
            RequestExplanation told = proxy.Explain(url, exchange.Query("method") ?? "GET", exchange.Query("listener"));
            return exchange.Json(200, new ExplanationEntry(told.Listener, told.Route, told.Path, told.Policies, told.Limits, told.BlockRules, told.Cache, told.Outcome,
                [.. told.Clusters.Select(one => new ClusterChoiceEntry(one.Name, one.Percent, one.Balance, [.. one.Destinations.Select(view => DestinationEntry.Of(view, null, null, withHistory: false))]))]),
                AdminJson.Default.ExplanationEntry);
        }
        catch (ArgumentException e)
        {
            return exchange.Refuse(400, AdminExchange.WithoutParameter(e));
        }
    }
}

/// <summary>Where a request would go, as it is shown; <see cref="RequestExplanation"/> says what the fields mean.</summary>
internal sealed record ExplanationEntry(string? Listener, string? Route, string? Path, IReadOnlyList<PolicyStep> Policies, IReadOnlyList<string> Limits, IReadOnlyList<string> BlockRules, string? Cache, string? Outcome,
    IReadOnlyList<ClusterChoiceEntry> Clusters);

internal sealed record ClusterChoiceEntry(string Name, double Percent, string Balance, IReadOnlyList<DestinationEntry> Destinations);
