using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/limits</c>: what the limits have let through and refused.</summary>
internal sealed class LimitEndpoints(ProxyServer proxy)
{
    internal Task List(AdminExchange exchange, CancellationToken aborted) => exchange.Json(200, LimitList.Of(proxy), AdminJson.Default.LimitList);

    internal Task Show(AdminExchange exchange, CancellationToken aborted)
    {
        IReadOnlyList<LimitView> limits = proxy.DescribeLimits();
        string name = exchange.Value(0);
        return limits.FirstOrDefault(limit => limit.Name == name) is { } view
            ? exchange.Json(200, LimitEntry.Of(view), AdminJson.Default.LimitEntry)
            : exchange.Refuse(404, $"there is no limit {CharacterText.Quote(name)}{Suggestion.Text(name, [.. limits.Select(limit => limit.Name)])}");
    }
}

/// <summary>A limit as it is shown; <see cref="LimitView"/> says what the fields mean.</summary>
internal sealed record LimitEntry(string Name, string Kind, string? Rate, string? Algorithm, int? Burst, int? Concurrency, IReadOnlyList<string> Key, IReadOnlyList<string> Routes, int KeyCapacity,
    bool DryRun, long Allowed, long Refused)
{
    internal static LimitEntry Of(LimitView view)
    {
        LimitConfig config = view.Config;
        bool isBucket = config.Rate is not null && config.Algorithm == LimitAlgorithm.TokenBucket;
        return new(view.Name, config.Rate is null ? "concurrency" : "rate", config.Rate, config.Rate is null ? null : isBucket ? "token-bucket" : "sliding-window",
            isBucket ? config.BurstOrDefault : null, config.Rate is null ? config.Concurrency : null, config.Key, view.Routes, view.KeyCapacity, config.DryRun, view.AllowedTotal, view.RefusedTotal);
    }
}

/// <summary>A cluster's limit as it is shown; <see cref="ConcurrencyView"/> says what the fields mean.</summary>
internal sealed record ClusterLimitEntry(string Cluster, int Limit, int Min, int Max, long Outstanding, bool DryRun, long Allowed, long Refused);

internal sealed record LimitList(IReadOnlyList<LimitEntry> Limits, IReadOnlyList<ClusterLimitEntry> Clusters)
{
    internal static LimitList Of(ProxyServer proxy) => new([.. proxy.DescribeLimits().Select(LimitEntry.Of)],
        [.. proxy.DescribeConcurrency().Select(view => new ClusterLimitEntry(view.Cluster, view.Limit, view.Config.Min, view.Config.Max, view.Outstanding, view.Config.DryRun, view.AllowedTotal, view.RefusedTotal))]);
}
