namespace LoadBalancer.Balancing;

/// <summary>The usable destinations of one priority, or of that in some zones, and the part of the load that is theirs.</summary>
internal sealed record Tier(int Priority, Destination[] Destinations, int[] Weights, double Load)
{
    /// <summary>Whether these are the destinations of other zones than the balancer's, and its own has a tier of the same priority.</summary>
    internal bool IsRemote { get; init; }

    /// <summary>Divides members by priority; destinations that may not be used are left out, tiers without any as well.</summary>
    internal static Tier[] Divide(Destination[] members, DestinationSpec[] specs, SchedulerOptions options)
    {
        int[] priorities = [.. specs.Select(spec => spec.Priority).Distinct().Order()];
        var total = new int[priorities.Length];
        var eligible = new int[priorities.Length];
        for (int i = 0; i < members.Length; i++)
        {
            // One that drains leaves on purpose: it counts as gone, or a rolling restart would look like a failure.
            if (members[i].Status.HasFlag(DestinationStatus.Draining)) continue;
            int tier = Array.BinarySearch(priorities, specs[i].Priority);
            total[tier]++;
            if (members[i].Status == DestinationStatus.Eligible) eligible[tier]++;
        }
        (double[] loads, bool[] panics) = TierLoads.Compute(eligible, total, options.Overprovisioning, options.PanicThreshold);

        var tiers = new List<Tier>();
        for (int t = 0; t < priorities.Length; t++)
        {
            var destinations = new List<Destination>();
            var weights = new List<int>();
            for (int i = 0; i < members.Length; i++)
            {
                if (specs[i].Priority != priorities[t]) continue;
                DestinationStatus status = members[i].Status;
                if (status != DestinationStatus.Eligible && (!panics[t] || status.HasFlag(DestinationStatus.Draining))) continue;
                destinations.Add(members[i]);
                weights.Add(specs[i].Weight);
            }
            if (destinations.Count == 0) continue;
            var tier = new Tier(priorities[t], [.. destinations], [.. weights], loads[t]);
            if (options.Zone is not { } zone) tiers.Add(tier);
            else tiers.AddRange(ZoneSplit.Divide(tier, zone, specs.Where(spec => spec.Priority == priorities[t]).Select(spec => spec.Zone).Distinct().Count(), options.Overprovisioning));
        }
        return [.. tiers];
    }
}
