namespace LoadBalancer.Balancing;

/// <summary>
/// Chooses among the destinations of one immutable set. Called from any thread; never blocks, never allocates, reads no clock.
/// A picker learns only from completions, so the same object serves HTTP, raw TCP, a plain client and a simulator.
/// </summary>
public interface IDestinationPicker
{
    /// <summary>
    /// A destination for which <see cref="DestinationSet.TryReserve"/> succeeded, or null when none may be used. Every reservation is
    /// completed exactly once, by the lease made from it.
    /// </summary>
    Destination? Pick(in PickContext context);

    /// <summary>
    /// A pick has ended. The destination may have been picked by an earlier picker of the same scheduler, and may not be in this one's set.
    /// </summary>
    /// <param name="destination">Where the exchange went; its reservation is given back already.</param>
    /// <param name="outstanding">Picks of the destination still under way.</param>
    /// <param name="outcome">How the exchange ended.</param>
    /// <param name="now">When, in timestamp ticks.</param>
    void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now);

    /// <summary>What the picker knows of a destination that is in its set, for people. Changes nothing.</summary>
    DestinationScore Describe(Destination destination, long now) => default;

    /// <summary>A destination's count has changed otherwise: reserved without a pick (affinity), or given back without an exchange.</summary>
    void Reserved(Destination destination, int outstanding, long now)
    {
    }

    /// <summary>
    /// The picker has just become the scheduler's. Completions until now may have gone to the previous one: what was derived from the
    /// destinations' counts in Build must be derived again.
    /// </summary>
    void Attached()
    {
    }

    /// <summary>Destinations that the policy wants probed now, for policies that probe; see <see cref="Scheduler.TakeProbes"/>.</summary>
    int TakeProbes(Span<Destination> targets) => 0;

    /// <summary>The answer to a probe.</summary>
    void Probed(Destination destination, in ProbeResult result, long now)
    {
    }
}
