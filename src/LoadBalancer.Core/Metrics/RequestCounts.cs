using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Metrics;

/// <summary>Requests of one route by one listener, on one loop, whose thread alone writes. Any thread reads.</summary>
internal sealed class RequestCounts
{
    internal readonly long[] ByClass = new long[RequestTraffic.Classes.Count];
    internal readonly DurationCounts Durations = new();
    private long _received, _sent, _retries, _hedges;

    internal long Received => Volatile.Read(ref _received);
    internal long Sent => Volatile.Read(ref _sent);
    internal long Retries => Volatile.Read(ref _retries);
    internal long Hedges => Volatile.Read(ref _hedges);

    // Hot path: per request. 0 allocations. AllocationTests.KeepAliveRequest_SteadyState_AllocatesNothing
    internal void Note(CompletionRecord record, long[] bounds)
    {
        ref long count = ref ByClass[RequestTraffic.ClassOf(record.Status)];
        Volatile.Write(ref count, count + 1);
        Durations.Note(record.TotalTicks, bounds);
        if (record.RequestBodyBytes != 0) Volatile.Write(ref _received, _received + record.RequestBodyBytes);
        if (record.ResponseBodyBytes != 0) Volatile.Write(ref _sent, _sent + record.ResponseBodyBytes);
        if (record.Attempts > 1) Volatile.Write(ref _retries, _retries + record.Attempts - 1);
        if (record.IsHedged) Volatile.Write(ref _hedges, _hedges + 1);
    }
}
