using System.Globalization;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Caching;

/// <summary>How a route uses a cache. Immutable.</summary>
internal sealed class RouteCache
{
    /// <summary>How long requests for something that could not be stored do not wait for each other (Varnish: 120 s, for want of a re-check; ours is checked with each answer).</summary>
    internal const long MissMarkMilliseconds = 10_000;

    /// <summary>The same where the destination failed: so long everybody finds out by himself.</summary>
    internal const long FailureMarkMilliseconds = 1_000;

    /// <summary>Most requests that wait for one fetch; those beyond go to the destination.</summary>
    internal const int WaitingMax = 4096;

    /// <summary>Which id of a request clients get; null where nobody looked.</summary>
    internal AccessLog.RequestIdRules? RequestIds { get; init; }

    internal RouteCache(string name, RouteCacheConfig config, ResponseStore store, uint ownFields)
    {
        Store = store;
        OwnFields = ownFields;
        HasStatusField = config.StatusField;
        CollapseMilliseconds = (long)config.CollapseTimeout.TotalMilliseconds;
        Policy = new()
        {
            HonorsRequests = config.ObeysClients,
            StaleWhileRevalidate = (int)config.StaleWhileRevalidate.TotalSeconds,
            StaleIfError = (int)config.StaleIfError.TotalSeconds,
            Lifetimes = [.. config.Ttl.Select(ttl => LifetimeOf(int.Parse(ttl.Key, CultureInfo.InvariantCulture), ttl.Value, config.TtlOverrides))],
        };
        Keys = new(new()
        {
            Query = config.Query == CacheKeyQuery.None ? QueryRule.None : config.QueryOnly.Count > 0 ? QueryRule.Only : config.QueryIgnored.Count > 0 ? QueryRule.Except : QueryRule.All,
            QueryNames = config.QueryOnly.Count > 0 ? config.QueryOnly : config.QueryIgnored,
            SortsQuery = config.Query == CacheKeyQuery.Sorted,
            Fields = config.KeyHeaders,
            Cookies = config.KeyCookies,
            Space = name, // routes that share a cache go to different places, and not every client gets to each
        });
    }

    private static StatusLifetime LifetimeOf(int status, TimeSpan ttl, bool overrides) => new(status, status, (int)ttl.TotalSeconds, overrides);

    internal ResponseStore Store { get; }

    /// <summary>Fields of responses that are ours to write with each answer, so that they are not stored.</summary>
    internal uint OwnFields { get; }

    internal CachePolicy Policy { get; }

    internal CacheKey Keys { get; }

    internal bool HasStatusField { get; }

    /// <summary>Our name in Cache-Status.</summary>
    internal byte[] StatusName { get; } = CacheStatus.NameOf("lb");

    internal long CollapseMilliseconds { get; }
}
