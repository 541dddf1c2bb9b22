using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Metrics;

/// <summary>Requests of one route by one listener, on one loop, whose thread alone writes. Any thread reads.</summary>
internal sealed class RequestCounts
{
    internal readonly long[] ByClass = new long[RequestTraffic.Classes.Count];
    internal readonly long[] ByCacheOutcome = new long[RequestTraffic.CacheOutcomes.Count];
    internal readonly DurationCounts Durations = new();
    private long _received, _sent, _retries, _deniedRetries, _hedges;

    internal long Received => Volatile.Read(ref _received);
    internal long Sent => Volatile.Read(ref _sent);
    internal long Retries => Volatile.Read(ref _retries);
    internal long DeniedRetries => Volatile.Read(ref _deniedRetries);
    internal long Hedges => Volatile.Read(ref _hedges);

    // Hot path: per request. 0 allocations. AllocationTests.KeepAliveRequest_SteadyState_AllocatesNothing
    internal void Note(CompletionRecord record, long[] bounds)
    {
        Increment(ref ByClass[RequestTraffic.ClassOf(record.Status)], 1);
        if (record.Cache != CacheOutcome.None) Increment(ref ByCacheOutcome[(int)record.Cache], 1);
        Durations.Note(record.TotalTicks, bounds);
        if (record.RequestBodyBytes != 0) Increment(ref _received, record.RequestBodyBytes);
        if (record.ResponseBodyBytes != 0) Increment(ref _sent, record.ResponseBodyBytes);
        if (record.Attempts > 1) Increment(ref _retries, record.Attempts - 1);
        if (record.IsRetryDenied) Increment(ref _deniedRetries, 1);
        if (record.IsHedged) Increment(ref _hedges, 1);
    }

    private static void Increment(ref long count, long by) => Volatile.Write(ref count, count + by);
}
