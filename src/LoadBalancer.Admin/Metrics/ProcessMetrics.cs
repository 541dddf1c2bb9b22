using System.Reflection;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Metrics;

/// <summary>What the process and its runtime use, by the names that Prometheus's own clients give.</summary>
internal static class ProcessMetrics
{
    private static readonly double StartedAt = new DateTimeOffset(System.Diagnostics.Process.GetCurrentProcess().StartTime).ToUnixTimeMilliseconds() / 1000.0;

    private static readonly string Version = typeof(ProxyServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    internal static void Write(MetricsText text, ProxyServer proxy)
    {
        Single("lb_build_info", "gauge", "1, with the version.", 1, new("version", Version), new("transport", proxy.Transport));
        Single("lb_event_loops", "gauge", "Event loops, each of which is a thread.", proxy.LoopCount);
        Single("process_cpu_seconds_total", "counter", "Processor time used.", Environment.CpuUsage.TotalTime.TotalSeconds);
        Single("process_resident_memory_bytes", "gauge", "Physical memory used.", Environment.WorkingSet);
        Single("process_start_time_seconds", "gauge", "When the process has started, since the Unix epoch.", StartedAt);
        if (OperatingSystem.IsLinux()) Single("process_open_fds", "gauge", "Open file descriptors.", Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
        text.Family("dotnet_gc_collections_total", "counter", "Garbage collections, by generation; each counts in those below it.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++) text.Sample("dotnet_gc_collections_total", MetricsText.Labels(new KeyValuePair<string, object?>("generation", generation)), GC.CollectionCount(generation));
        Single("dotnet_gc_pause_seconds_total", "counter", "Time in which the garbage collector has held all threads.", GC.GetTotalPauseDuration().TotalSeconds);
        Single("dotnet_gc_allocated_bytes_total", "counter", "Bytes allocated on the managed heap.", GC.GetTotalAllocatedBytes());
        Single("dotnet_gc_heap_bytes", "gauge", "The managed heap, with what is not collected yet.", GC.GetTotalMemory(false));
        Single("dotnet_thread_pool_threads", "gauge", "Threads of the thread pool, on which no request runs.", ThreadPool.ThreadCount);

        void Single(string name, string type, string help, double value, params ReadOnlySpan<KeyValuePair<string, object?>> labels)
        {
            text.Family(name, type, help);
            text.Sample(name, MetricsText.Labels(labels), value);
        }
    }
}
