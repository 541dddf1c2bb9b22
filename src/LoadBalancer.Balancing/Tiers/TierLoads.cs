namespace LoadBalancer.Balancing;

/// <summary>How load is divided over tiers: Envoy's priority levels with overprovisioning and panic.</summary>
internal static class TierLoads
{
    /// <summary>
    /// A tier's health is its eligible part times the overprovisioning factor, at most 1. Load goes to the first tier up to its health, the
    /// rest to the next. If the healths together do not reach 1, they are scaled up to it, and a tier below the threshold is in panic:
    /// it uses all its destinations. If all are, the load goes by size.
    /// </summary>
    /// <returns>The parts, with sum 1 unless there is no destination; and which tiers are in panic.</returns>
    internal static (double[] Loads, bool[] Panics) Compute(int[] eligible, int[] total, double overprovisioning, double panicThreshold)
    {
        int count = total.Length;
        var loads = new double[count];
        var panics = new bool[count];
        var health = new double[count];
        double sum = 0;
        for (int t = 0; t < count; t++)
        {
            health[t] = total[t] == 0 ? 0 : Math.Min(1, overprovisioning * eligible[t] / total[t]);
            sum += health[t];
        }
        double whole = Math.Min(1, sum);
        bool isAllPanic = true;
        for (int t = 0; t < count; t++)
        {
            panics[t] = total[t] > 0 && whole < 1 && (eligible[t] == 0 || (double)eligible[t] / total[t] < panicThreshold);
            if (total[t] > 0 && !panics[t]) isAllPanic = false;
        }
        if (isAllPanic)
        {
            double all = total.Sum();
            for (int t = 0; t < count && all > 0; t++) loads[t] = total[t] / all;
            return (loads, panics);
        }
        double left = 1;
        for (int t = 0; t < count; t++)
        {
            loads[t] = Math.Min(left, health[t] / whole);
            left -= loads[t];
        }
        return (loads, panics);
    }
}
