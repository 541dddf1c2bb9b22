namespace LoadBalancer.Balancing;

/// <summary>Divides a tier into the balancer's own zone and the others, so that requests stay near as long as those who are near can carry them.</summary>
internal static class ZoneSplit
{
    /// <summary>The tier in one piece or in two, the local one first; their loads together are the tier's.</summary>
    /// <param name="tier">Its destinations are those in use.</param>
    /// <param name="zone">The balancer's own zone.</param>
    /// <param name="zones">Different zones among all members of the tier, in use or not; those without one are one.</param>
    /// <param name="overprovisioning">See <see cref="SchedulerOptions.Overprovisioning"/>.</param>
    internal static Tier[] Divide(Tier tier, string zone, int zones, double overprovisioning)
    {
        Tier local = Select(tier, destination => destination.Zone == zone), remote = Select(tier, destination => destination.Zone != zone);
        if (local.Destinations.Length == 0 || remote.Destinations.Length == 0) return [tier];
        double localWeight = local.Weights.Sum(weight => (double)weight), remoteWeight = remote.Weights.Sum(weight => (double)weight);
        double part = LocalPart(localWeight, localWeight + remoteWeight, zones, overprovisioning);
        return [local with { Load = tier.Load * part }, remote with { Load = tier.Load * (1 - part), IsRemote = true }];
    }

    /// <summary>
    /// The part of the requests that stays in the zone, if each zone gets as many: what its destinations can carry when each is trusted with so
    /// much more than the share that it would have without zones.
    /// </summary>
    // Envoy compares the zone's part of the destinations with its part of the demand, which it learns from the control plane. We know only our
    // own, and suppose that a zone is as busy as any other. Without preference a local destination of weight w gets w / weight of all; a zone
    // that keeps the part p of its 1 / zones loads it with p × w / (zones × localWeight). The limit on their ratio gives p.
    internal static double LocalPart(double localWeight, double weight, int zones, double overprovisioning) =>
        Math.Min(1, overprovisioning * zones * localWeight / weight);

    private static Tier Select(Tier tier, Func<Destination, bool> belongs)
    {
        int[] seats = [.. Enumerable.Range(0, tier.Destinations.Length).Where(seat => belongs(tier.Destinations[seat]))];
        return tier with { Destinations = [.. seats.Select(seat => tier.Destinations[seat])], Weights = [.. seats.Select(seat => tier.Weights[seat])] };
    }
}
