using System.Globalization;
using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Edge.Demo;

/// <summary>Counts completions for each destination. Written by the loops, read once a second.</summary>
internal sealed class DemoCounters(IReadOnlyList<string> destinations, TimeProvider timeProvider) : ICompletionObserver
{
    private readonly Counter[] _counters = [.. destinations.Select(_ => new Counter())];
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _awaited = long.MaxValue;
    private long _completed;
    private long _failed;

    public void OnCompleted(CompletionRecord record)
    {
        // A handful of names: a scan is quicker than a hash.
        for (int i = 0; i < _counters.Length; i++)
        {
            if (destinations[i] != record.Destination) continue;
            Interlocked.Increment(ref _counters[i].Requests);
            Interlocked.Add(ref _counters[i].Ticks, record.TotalTicks);
        }
        if (record.Reason != EndReason.Completed || record.Status >= 500) Interlocked.Increment(ref _failed);
        if (Interlocked.Increment(ref _completed) >= Interlocked.Read(ref _awaited)) _reached.TrySetResult();
    }

    /// <summary>Completes when this many requests have ended. One wait in a life.</summary>
    internal Task WhenCompleted(long requests)
    {
        Interlocked.Exchange(ref _awaited, requests);
        if (Interlocked.Read(ref _completed) >= requests) _reached.TrySetResult();
        return _reached.Task;
    }

    /// <summary>One line about what happened since the last call; null when nothing did.</summary>
    internal string? TakeLine(double? seconds)
    {
        long total = Interlocked.Exchange(ref _completed, 0);
        long failed = Interlocked.Exchange(ref _failed, 0);
        if (total == 0) return null;
        var parts = new List<string>
        {
            seconds is { } s ? string.Create(CultureInfo.InvariantCulture, $"{total / s,6:0} req/s") : $"{total,6} requests",
        };
        for (int i = 0; i < _counters.Length; i++)
        {
            long requests = Interlocked.Exchange(ref _counters[i].Requests, 0);
            long ticks = Interlocked.Exchange(ref _counters[i].Ticks, 0);
            double milliseconds = requests == 0 ? 0 : (double)ticks / requests * 1000 / timeProvider.TimestampFrequency;
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{destinations[i]} {(double)requests / total,4:P0} {milliseconds,6:0.0} ms"));
        }
        if (failed > 0) parts.Add($"{failed} failed");
        return string.Join("   ", parts);
    }

    private sealed class Counter
    {
        internal long Requests;
        internal long Ticks;
    }
}
