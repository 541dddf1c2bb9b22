namespace LoadBalancer.Balancing;

/// <summary>
/// Chooses among the destinations of one immutable set. Called from any thread; never blocks, never allocates.
/// A picker learns only from completions, so the same object serves HTTP, raw TCP, a plain client and a simulator.
/// </summary>
public interface IDestinationPicker
{
    /// <summary>Index into the set the picker was built for, or -1 when none may be used. Every index returned is completed exactly once.</summary>
    int Pick(in PickContext context);

    /// <summary>Reports how the exchange with a picked destination ended.</summary>
    void Complete(int destination, in PickOutcome outcome);
}
