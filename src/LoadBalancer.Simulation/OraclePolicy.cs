using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Engine;

namespace LoadBalancer.Simulation;

/// <summary>
/// What an algorithm could do that knew every server's true speed and all requests under way, those of other balancers too: the lowest
/// (outstanding + 1) / (speed x cores). A greedy rule, so not the best possible, but one to measure the others by. Only here.
/// </summary>
public sealed class OraclePolicy : IBalancingPolicy
{
    /// <summary>Its name among algorithms.</summary>
    public const string PolicyName = "oracle";

    /// <inheritdoc/>
    public string Name => PolicyName;

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new OraclePicker(set);
}

internal sealed class OraclePicker(DestinationSet set) : IDestinationPicker
{
    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        Destination? best = null;
        double lowest = double.PositiveInfinity;
        int from = set.Count == 0 ? 0 : set.Random.Next(set.Count); // ties go to any
        for (int i = 0; i < set.Count; i++)
        {
            Destination candidate = set[from + i < set.Count ? from + i : from + i - set.Count];
            double cost = ReferenceEquals(candidate, context.Exclude) ? double.MaxValue : CostOf((Server)candidate.Tag!);
            if (cost >= lowest && best is not null) continue;
            best = candidate;
            lowest = cost;
        }
        return best is not null && set.TryReserve(set.SeatOf(best), context.Timestamp) ? best : null;
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
    }

    private static double CostOf(Server server) =>
        server.Condition != ServerCondition.Up || server.Speed == 0 ? 1e300 : (server.Outstanding + 1) / (server.Speed * server.Cores);
}
