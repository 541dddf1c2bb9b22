namespace LoadBalancer.Core.AccessLog;

/// <summary>
/// The last completion records of a cluster on one loop, to be looked at. Records are swapped, not copied: the one that is put in stays, and the oldest is used for the next request. Its loop's thread alone
/// touches it: who asks from elsewhere has the loop look.
/// </summary>
internal sealed class RecentRing(int capacity)
{
    private readonly CompletionRecord?[] _records = new CompletionRecord?[capacity];
    private int _next;
    private long _windowStart, _requests, _failures;

    /// <summary>So many failures within a second, a tenth of all or more, are a burst.</summary>
    internal const int BurstFailures = 10, BurstShare = 10;

    /// <summary>What each loop keeps where a cluster is to have so many; as clients spread unevenly, some more than its part.</summary>
    internal static int CapacityOf(int recentRequests, int loopCount) => Math.Max(8, (recentRequests + loopCount - 1) / loopCount);

    /// <summary>Takes a record whose text was kept (<see cref="CompletionRecord.KeepText"/>), and gives another in its place.</summary>
    // Hot path: per request. 0 allocations once every place was used. AllocationTests.KeepAliveRequest_SteadyState_AllocatesNothing
    internal CompletionRecord Put(CompletionRecord record)
    {
        ref CompletionRecord? place = ref _records[_next];
        CompletionRecord oldest = place ?? new CompletionRecord();
        place = record;
        if (++_next == _records.Length) _next = 0;
        return oldest;
    }

    /// <summary>Whether with this record the requests fail in a burst; true once for each second.</summary>
    internal bool IsBurst(CompletionRecord record, long frequency)
    {
        long now = record.StartTimestamp + record.TotalTicks;
        if (now - _windowStart > frequency)
        {
            _windowStart = now;
            _requests = _failures = 0;
        }
        _requests++;
        return IsFailure(record) && ++_failures >= BurstFailures && _failures == Math.Max(BurstFailures, _requests / BurstShare);
    }

    /// <summary>Whether a request was not served as it should have been, and not by its client's doing.</summary>
    internal static bool IsFailure(CompletionRecord record) => record.Status >= 500 || record.Reason switch
    {
        EndReason.UpstreamTruncated or EndReason.BadResponseBody or EndReason.UpstreamIdleTimeout or EndReason.DeadlineExceeded or EndReason.InternalError or EndReason.StoredBodyBroken => true,
        // TCP connections have no status.
        EndReason.NoDestination or EndReason.UpstreamOverloaded or EndReason.QueueFull or EndReason.QueueTimeout or EndReason.UpstreamConnectFailed or EndReason.UpstreamConnectTimeout
            or EndReason.UpstreamUnresolved or EndReason.UpstreamTlsFailed or EndReason.UpstreamCertificateInvalid or EndReason.ResourceExhausted => true,
        EndReason.UpstreamClosed => record.ResponseBodyBytes == 0, // later, a reset is one way to end
        _ => false,
    };

    /// <summary>The record that came <paramref name="age"/> before the next one; null where there were not so many.</summary>
    internal CompletionRecord? this[int age] => age > _records.Length ? null : _records[(_next - age + _records.Length) % _records.Length];
}

/// <summary>A request that has ended, as the access log would tell of it.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Json">One JSON object in UTF-8, without a line feed.</param>
public sealed record RecentRequest(DateTime At, byte[] Json);
