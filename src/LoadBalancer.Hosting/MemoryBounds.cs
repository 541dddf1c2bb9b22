using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting;

/// <summary>Whether what a configuration may take fits into the memory that there is: that of the machine, or what a control group leaves of it.</summary>
internal static class MemoryBounds
{
    // The rest is for connections, tables and the collector itself.
    private const double ShareMax = 0.75;

    /// <summary>What is wrong; null where it fits.</summary>
    /// <param name="config">Its caches and the bodies that policies read.</param>
    /// <param name="availableBytes">As <see cref="GCMemoryInfo.TotalAvailableMemoryBytes"/> has it.</param>
    internal static string? Problem(ProxyConfig config, long availableBytes)
    {
        long caches = config.Caches.Values.Sum(cache => cache.MemoryBytesMax), bodies = config.Policies.Count > 0 ? config.PolicyBodyBytesMax : 0;
        return caches + bodies <= availableBytes * ShareMax ? null
            : $"caches may take {Size(caches)} and bodies that policies read {Size(bodies)} of {Size(availableBytes)} of memory; lower \"memoryBytesMax\" or \"policyBodyBytesMax\", or give it more";
    }

    private static string Size(long bytes) => $"{bytes >> 20} MiB";
}
