namespace LoadBalancer.Balancing.Tests;

/// <summary>How an exchange that begins now will end at a destination.</summary>
internal delegate (long Microseconds, PickOutcomeKind Kind) Answer(int destination, long now, Random random);

/// <summary>
/// Random arrivals at a scheduler in virtual time; each exchange ends as an answer function says. The answers do not depend on load:
/// enough to see what a policy learns.
/// </summary>
internal sealed class VirtualService(Scheduler scheduler, Answer answer, double arrivalsPerSecond)
{
    private readonly PriorityQueue<(PickLease Lease, PickOutcomeKind Kind), long> _ends = new();
    private readonly Random _random = new(4);

    internal long Now { get; private set; } = Make.Second;

    /// <summary>Runs to a time after the start, in seconds, and counts the picks of each destination.</summary>
    internal int[] RunTo(double seconds)
    {
        long end = Make.Second + (long)(seconds * Make.Second);
        int[] picks = new int[scheduler.Destinations.Count];
        while (true)
        {
            long arrival = Now + 1 + (long)(-Math.Log(1 - _random.NextDouble()) / arrivalsPerSecond * Make.Second);
            while (_ends.TryPeek(out _, out long at) && at <= Math.Min(arrival, end))
            {
                (PickLease lease, PickOutcomeKind kind) = _ends.Dequeue();
                long total = at - lease.StartTimestamp;
                lease.Complete(new PickOutcome(kind, 0, kind == PickOutcomeKind.Success ? total : -1, total));
            }
            if (arrival > end) break;
            Now = arrival;
            PickLease picked = scheduler.Pick(new PickContext(Now, HashKey: (ulong)_random.NextInt64()));
            int destination = (int)picked.Destination.Tag!;
            picks[destination]++;
            (long microseconds, PickOutcomeKind ending) = answer(destination, Now, _random);
            _ends.Enqueue((picked, ending), Now + Math.Max(1, microseconds));
        }
        Now = end;
        return picks;
    }

    /// <summary>A lognormal time with this median and a spread (sigma) of one half.</summary>
    internal static long Around(double milliseconds, Random random)
    {
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (long)(milliseconds * 1000 * Math.Exp(0.5 * normal));
    }
}
