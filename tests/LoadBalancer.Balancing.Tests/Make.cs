namespace LoadBalancer.Balancing.Tests;

/// <summary>Schedulers and outcomes for tests. Timestamps count microseconds.</summary>
internal static class Make
{
    internal const long Second = 1_000_000, Millisecond = 1000;

    internal static readonly PickOutcome Success = new(PickOutcomeKind.Success, 0, 0, 0);

    internal static SchedulerOptions Options(ulong seed = 1) => new() { TimestampFrequency = Second, Seed = seed };

    /// <summary>Destinations "a", "b", … ("0", "1", … when there are many) with these weights.</summary>
    internal static Scheduler Scheduler(IBalancingPolicy policy, ReadOnlySpan<int> weights, SchedulerOptions? options = null)
    {
        var scheduler = new Scheduler(policy, options ?? Options());
        scheduler.Update(Specs(weights), now: 0);
        return scheduler;
    }

    internal static DestinationSpec[] Specs(ReadOnlySpan<int> weights)
    {
        var specs = new DestinationSpec[weights.Length];
        for (int i = 0; i < specs.Length; i++)
            specs[i] = new DestinationSpec(weights.Length <= 26 ? ((char)('a' + i)).ToString() : i.ToString()) { Weight = weights[i], Tag = i };
        return specs;
    }

    internal static int[] Ones(int count) => [.. Enumerable.Repeat(1, count)];

    /// <summary>Index of the picked destination, -1 for none; completed at once.</summary>
    internal static int PickAndComplete(this Scheduler scheduler, in PickContext context = default)
    {
        PickLease lease = scheduler.Pick(context);
        if (!lease.IsActive) return -1;
        lease.Complete(Success);
        return (int)lease.Destination.Tag!;
    }

    internal static int[] Count(this Scheduler scheduler, int picks, PickContext context = default)
    {
        int[] counts = new int[scheduler.Destinations.Count];
        for (int i = 0; i < picks; i++) counts[scheduler.PickAndComplete(context)]++;
        return counts;
    }
}
