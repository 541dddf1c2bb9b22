namespace LoadBalancer.Balancing;

/// <summary>A way of choosing: makes a picker for each set of destinations. Immutable, so one may serve several schedulers.</summary>
public interface IBalancingPolicy
{
    /// <summary>As written in a configuration, such as "round-robin".</summary>
    string Name { get; }

    /// <summary>
    /// A picker for a set. What must survive a change of the set is taken over from the previous picker of this policy, if there is one,
    /// or lives in the destinations, which are the same objects as long as their identity stays. Called by one thread at a time.
    /// </summary>
    IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous);
}
