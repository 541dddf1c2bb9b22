using System.Text;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.AccessLog;

/// <summary>Tells the log of a burst of failures, with the last of them: at most once a minute for each cluster.</summary>
internal sealed class BurstReport : IThreadPoolWorkItem
{
    private const int RecordsMax = 10;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly ILogger _logger;
    private readonly string _cluster;
    private readonly List<RecentRequest> _records;

    private BurstReport(ILogger logger, string cluster, List<RecentRequest> records)
    {
        _logger = logger;
        _cluster = cluster;
        _records = records;
    }

    /// <summary>Begins a report, unless there was one a short while ago. Loop's thread; the lines are made here, and written beside.</summary>
    internal static void TryBegin(LoopContext context, ClusterSnapshot cluster, RecentRing ring)
    {
        TimeProvider time = context.Loop.Time;
        if (!cluster.Bursts.TryTell(time.GetTimestamp(), (long)(Interval.TotalSeconds * time.TimestampFrequency))) return;
        var failed = new RecentSelection(RecordsMax, RecentRing.IsFailure);
        failed.Add(ring);
        ThreadPool.UnsafeQueueUserWorkItem(new BurstReport(context.Server.Logger, cluster.Name, failed.Write(context.Server.RecentFormatter, time)), preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        AccessLogNotes.ErrorBurst(_logger, _cluster, _records.Count);
        foreach (RecentRequest request in _records) AccessLogNotes.FailedRequest(_logger, _cluster, Encoding.UTF8.GetString(request.Json));
    }
}

/// <summary>When a burst was told of last. Any thread.</summary>
internal sealed class BurstTimes
{
    private long _toldAt = long.MinValue;

    internal bool TryTell(long now, long interval)
    {
        long told = Volatile.Read(ref _toldAt);
        return (told == long.MinValue || now - told >= interval) && Interlocked.CompareExchange(ref _toldAt, now, told) == told;
    }
}

internal static partial class AccessLogNotes
{
    [LoggerMessage(EventId = 1901, Level = LogLevel.Warning, Message = "cluster {Cluster}: requests fail in a burst; the last {Count} that failed follow")]
    internal static partial void ErrorBurst(ILogger logger, string cluster, int count);

    [LoggerMessage(EventId = 1902, Level = LogLevel.Warning, Message = "cluster {Cluster}: failed: {Request}")]
    internal static partial void FailedRequest(ILogger logger, string cluster, string request);
}
