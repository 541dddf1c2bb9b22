using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting;

/// <summary>Keeps what a configuration may take within the memory that there is: that of the machine, or what a control group leaves of it.</summary>
internal static class MemoryBounds
{
    private const double ShareMax = 0.75; // the rest is for connections, tables and the collector itself
    private const long BytesMin = 1 << 20; // of each bound
    private const long RecordBytes = 1300; // of a recent request

    /// <summary>The configuration with bounds of caches and of the bodies that policies read that fit into the memory that there is: the same where they do, else each smaller by the same share.</summary>
    internal static ProxyConfig Fit(ProxyConfig config) => Fit(config, Available());

    /// <summary>What <see cref="Fit(ProxyConfig)"/> has lowered; null where it has lowered nothing.</summary>
    internal static string? Describe(ProxyConfig config) => Describe(config, Available());

    /// <param name="config">As it was written. One with problems may stay as it is.</param>
    /// <param name="availableBytes">As <see cref="GCMemoryInfo.TotalAvailableMemoryBytes"/> has it.</param>
    internal static ProxyConfig Fit(ProxyConfig config, long availableBytes)
    {
        long asked = Asked(config);
        double room = Math.Max(0, availableBytes * ShareMax - Kept(config));
        if (asked <= room) return config;
        double share = room / asked;
        // In coarse steps: what changes it a little, such as one more cluster, is to empty no cache.
        if (share > 0)
        {
            double step = Math.Pow(2, Math.Floor(Math.Log2(share)) - 3);
            share = Math.Floor(share / step) * step;
        }
        return config with
        {
            Caches = config.Caches.ToDictionary(cache => cache.Key, cache => Fit(cache.Value, share)),
            PolicyBodyBytesMax = config.Policies.Count > 0 ? Fit(config.PolicyBodyBytesMax, share) : config.PolicyBodyBytesMax,
        };
    }

    internal static string? Describe(ProxyConfig config, long availableBytes)
    {
        ProxyConfig fitting = Fit(config, availableBytes);
        return ReferenceEquals(fitting, config) ? null
            : $"of {Size(availableBytes)}, {Size(Kept(config))} are for recent requests, and {Size(Asked(config))} are asked for by caches and by bodies that policies read, which get {Size(Asked(fitting))}; "
                + "lower \"memoryBytesMax\", \"policyBodyBytesMax\" or \"recentRequests\", or give it more";
    }

    private static CacheConfig Fit(CacheConfig cache, double share)
    {
        long bytes = Fit(cache.MemoryBytesMax, share);
        return cache with { MemoryBytesMax = bytes, ObjectBytesMax = cache.ObjectBytesMax <= cache.MemoryBytesMax ? Math.Min(cache.ObjectBytesMax, bytes) : cache.ObjectBytesMax };
    }

    private static long Fit(long bytes, double share) => Math.Min(bytes, Math.Max(BytesMin, (long)(bytes * share)));

    private static long Asked(ProxyConfig config) =>
        config.Caches.Values.Sum(cache => cache.MemoryBytesMax) + (config.Policies.Count > 0 ? config.PolicyBodyBytesMax : 0);

    // Not adapted: it holds from the start to the end.
    private static long Kept(ProxyConfig config) => config.RecentRequests * RecordBytes * config.Clusters.Count;

    private static long Available() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static string Size(long bytes) => $"{bytes >> 20} MiB";
}
