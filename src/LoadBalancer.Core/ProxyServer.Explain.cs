using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core;

// Which way a request would go. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    /// <summary>
    /// Where a request without header fields would go now: listener, route, what is asked on the way, and the destinations with what balancing knows of them. Nothing is sent, counted or
    /// picked. Thread-safe.
    /// </summary>
    /// <param name="url">"https://example.com/path?query".</param>
    /// <param name="method">As in "GET".</param>
    /// <param name="listener">Name of the listener by which it comes; null for the first of the URL's scheme that has a route for it.</param>
    /// <exception cref="ArgumentException">It is no URL, or there is no such HTTP listener; says why.</exception>
    public RequestExplanation Explain(string url, string method = "GET", string? listener = null)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentNullException.ThrowIfNull(method);
        ProxySnapshot snapshot = Snapshot;
        PurgeTarget? target = PurgeTarget.Parse(url, out string? reason);
        if (target is null || target.IsPrefix) throw new ArgumentException($"{CharacterText.Quote(url)} is no URL of a request: {reason ?? "it ends with a \"*\""}", nameof(url));
        if (!HttpSyntax.IsToken(method)) throw new ArgumentException($"{CharacterText.Quote(method)} is no method", nameof(method));
        ListenerSnapshot[] candidates = [.. snapshot.Listeners.Where(one => one.Tcp is null && one.RedirectsTo is null && (listener is null || one.Name == listener))];
        if (listener is not null && candidates.Length == 0)
            throw new ArgumentException($"there is no HTTP listener {CharacterText.Quote(listener)}{Suggestion.Text(listener, [.. snapshot.Listeners.Select(one => one.Name)])}", nameof(listener));

        // Whoever ends TLS before us has clients of ours by https on listeners without it: those come second.
        ListenerSnapshot? taken = null;
        RouteSnapshot? route = null;
        foreach (ListenerSnapshot one in candidates.OrderBy(one => one.Tls is not null == target.IsHttps ? 0 : 1))
        {
            taken ??= one;
            if (Find(one, target, method) is not { } found) continue;
            (taken, route) = (one, found);
            break;
        }
        if (route is null) return new(taken?.Name, null, null, [], [], [], null, null, []);
        RouteConfig config = route.Config;
        string answer = config.Redirect is { } redirect ? $"redirects to {redirect.To} ({redirect.Status})" : config.Respond is { } respond ? $"answers {respond.Status} itself" : "forwards";
        ClusterShare[] shares = config.Cluster is { } cluster ? [new(cluster, 100)] : Shares(config.Split);
        return new(taken!.Name, route.Name, config.Path,
            [.. config.Policies.Select(policy => new PolicyStep(policy, snapshot.Config.Policies[policy].Kind))],
            [.. config.Limits.Select(limit => limit.Key)],
            [.. snapshot.Config.BlockRules.Where(rule => rule.Value.Listeners.Count == 0 || rule.Value.Listeners.Contains(taken.Name)).Select(rule => rule.Key)],
            route.Cache?.Store.Name, answer,
            [.. shares.Select(share => new ClusterChoice(share.Cluster, share.Percent, snapshot.Config.Clusters[share.Cluster].Balance,
                [.. Views(Array.Find(snapshot.Clusters, one => one.Name == share.Cluster)!.Scheduler)]))]);
    }

    private static RouteSnapshot? Find(ListenerSnapshot listener, PurgeTarget target, string method)
    {
        var none = new NoFields();
        return listener.Routes.Find(target.Authority, target.Path, Encoding.ASCII.GetBytes(method), ref none);
    }

    private static ClusterShare[] Shares(IReadOnlyDictionary<string, int> split)
    {
        int sum = split.Values.Sum();
        return [.. split.Where(share => share.Value > 0).Select(share => new ClusterShare(share.Key, 100.0 * share.Value / sum))];
    }

    private readonly record struct ClusterShare(string Cluster, double Percent);
}

/// <summary>Where a request would go.</summary>
/// <param name="Listener">Name of the listener; null where none serves HTTP.</param>
/// <param name="Route">Name of the route; null where none matches, which answers 404.</param>
/// <param name="Path">The route's path pattern.</param>
/// <param name="Policies">What looks at it, in this order.</param>
/// <param name="Limits">Names of the limits that count it.</param>
/// <param name="BlockRules">Names of the rules that may refuse it on this listener.</param>
/// <param name="Cache">Name of the cache that is asked first; null for none.</param>
/// <param name="Outcome">What the route does with it, in words; null without a route.</param>
/// <param name="Clusters">Who answers it, by share; empty where the balancer does itself.</param>
public sealed record RequestExplanation(string? Listener, string? Route, string? Path, IReadOnlyList<PolicyStep> Policies, IReadOnlyList<string> Limits, IReadOnlyList<string> BlockRules, string? Cache,
    string? Outcome, IReadOnlyList<ClusterChoice> Clusters);

/// <summary>A policy on the way of a request.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its kind, as in "jwt".</param>
public sealed record PolicyStep(string Name, string Kind);

/// <summary>A cluster that a request may go to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Percent">Its share of such requests.</param>
/// <param name="Balance">The policy that picks.</param>
/// <param name="Destinations">Its destinations, with their scores.</param>
public sealed record ClusterChoice(string Name, double Percent, string Balance, IReadOnlyList<DestinationView> Destinations);
