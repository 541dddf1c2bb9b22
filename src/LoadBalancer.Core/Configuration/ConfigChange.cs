namespace LoadBalancer.Core.Configuration;

/// <summary>A part of a configuration that is not what it was.</summary>
/// <param name="Path">Where it stands: <c>clusters.api</c>, <c>drainTimeout</c>.</param>
/// <param name="Kind">What became of it.</param>
public sealed record ConfigChange(string Path, ConfigChangeKind Kind)
{
    /// <summary>All that differs between two configurations, named parts each by itself, in the order in which they stand.</summary>
    public static IReadOnlyList<ConfigChange> Between(ProxyConfig before, ProxyConfig after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var changes = new List<ConfigChange>();
        Members("listeners", config => config.Listeners);
        Members("routes", config => config.Routes);
        Members("clusters", config => config.Clusters);
        Members("caches", config => config.Caches);
        Members("addressLists", config => config.AddressLists);
        Members("blockRules", config => config.BlockRules);
        Members("policies", config => config.Policies);
        Members("limits", config => config.Limits);
        // Which comes first decides between alike: not in the members, each of which is what it was.
        if (!before.Routes.Keys.Where(after.Routes.ContainsKey).SequenceEqual(after.Routes.Keys.Where(before.Routes.ContainsKey))) changes.Add(new("routes", ConfigChangeKind.Reordered));
        Value("bansMax", config => config.BansMax);
        Value("autoBan", config => config.AutoBan);
        Value("policyBodyBytesMax", config => config.PolicyBodyBytesMax);
        Value("redis", config => config.Redis);
        Value("accessLog", config => config.AccessLog);
        Value("requestId", config => config.RequestId);
        Value("recentRequests", config => config.RecentRequests);
        Value("tracing", config => config.Tracing);
        Value("zone", config => config.Zone);
        Value("transport", config => config.Transport);
        Value("drainTimeout", config => config.DrainTimeout);
        Value("acme", config => config.Acme);
        Value("admin", config => config.Admin);
        return changes;

        void Members<T>(string path, Func<ProxyConfig, IReadOnlyDictionary<string, T>> part)
        {
            IReadOnlyDictionary<string, T> was = part(before), now = part(after);
            foreach ((string name, T value) in was)
            {
                if (!now.TryGetValue(name, out T? member)) changes.Add(new(ConfigPath.Member(path, name), ConfigChangeKind.Removed));
                else if (!Equals(value, member)) changes.Add(new(ConfigPath.Member(path, name), ConfigChangeKind.Changed));
            }
            foreach (string name in now.Keys)
                if (!was.ContainsKey(name)) changes.Add(new(ConfigPath.Member(path, name), ConfigChangeKind.Added));
        }

        void Value<T>(string path, Func<ProxyConfig, T> part)
        {
            T was = part(before), now = part(after);
            if (!Equals(was, now)) changes.Add(new(path, was is null ? ConfigChangeKind.Added : now is null ? ConfigChangeKind.Removed : ConfigChangeKind.Changed));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Path} {Kind switch { ConfigChangeKind.Added => "added", ConfigChangeKind.Removed => "removed", ConfigChangeKind.Reordered => "in another order", _ => "changed" }}";
}

/// <summary>What became of a part of a configuration.</summary>
public enum ConfigChangeKind
{
    /// <summary>It was not there.</summary>
    Added,

    /// <summary>It is there no more.</summary>
    Removed,

    /// <summary>It says something else.</summary>
    Changed,

    /// <summary>Its members are the same, in another order.</summary>
    Reordered,
}
