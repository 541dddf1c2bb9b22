using System.Runtime.CompilerServices;

namespace LoadBalancer.Core.AccessLog;

/// <summary>The newest records of any number of rings, for one question. However many rings there are, no more lines are made than were asked for: the loop serves nobody meanwhile. That loop's thread alone.</summary>
/// <param name="countMax">Most records.</param>
/// <param name="isWanted">Which; null for all.</param>
internal sealed class RecentSelection(int countMax, Func<CompletionRecord, bool>? isWanted = null)
{
    // The oldest of them in front; of those that ended at once the one that was added last. A list: a burst may come of a want of descriptors, in which the runtime could load no further assembly.
    private readonly List<(long End, CompletionRecord Record)> _newest = [];

    /// <summary>
    /// Looks at those of a ring, the newest first, until the rest is older than all that are needed. A record is put there when its request is over in every way, which may be a moment after its end: the order
    /// of a ring is all but that of ends.
    /// </summary>
    internal void Add(RecentRing? ring)
    {
        if (ring is null) return;
        for (int age = 1; ring[age] is { } record; age++)
        {
            long end = record.StartTimestamp + record.TotalTicks;
            if (_newest.Count == countMax && (countMax == 0 || end <= _newest[0].End)) return;
            if (isWanted is not null && !isWanted(record)) continue;
            _newest.Insert(PlaceOf(end), (end, record));
            if (_newest.Count > countMax) _newest.RemoveAt(0);
        }
    }

    // Behind all that ended before.
    private int PlaceOf(long end)
    {
        int low = 0, high = _newest.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_newest[middle].End < end) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Makes their lines, the newest first.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal List<RecentRequest> Write(LineFormatter formatter, TimeProvider time)
    {
        var output = new List<RecentRequest>(_newest.Count);
        if (_newest.Count == 0) return output;
        long now = time.GetTimestamp();
        DateTime clock = time.GetUtcNow().UtcDateTime;
        byte[] buffer = new byte[64 << 10];
        for (int i = _newest.Count - 1; i >= 0; i--)
        {
            (long end, CompletionRecord record) = _newest[i];
            DateTime at = clock - TimeSpan.FromSeconds((double)(now - end) / time.TimestampFrequency);
            var line = new LineWriter(buffer);
            formatter.Write(ref line, record, at);
            if (!line.IsOverflown) output.Add(new RecentRequest(at, buffer.AsSpan(0, line.Length - 1).ToArray()));
        }
        return output;
    }
}
