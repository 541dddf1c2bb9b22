namespace LoadBalancer.Balancing;

/// <summary>
/// One pick that is owed a completion. A mutable struct with one owner: keep it in a field, never copy it while it is active. The
/// completion goes to the destination's own state, so it counts right even after the set of destinations has changed.
/// </summary>
public struct PickLease
{
    private readonly Scheduler? _scheduler;
    private readonly Destination? _destination;
    private int _isActive; // beside the references: an exchange of those would cost a write barrier

    internal PickLease(Scheduler scheduler, Destination destination, long startTimestamp)
    {
        _scheduler = scheduler;
        _destination = destination;
        StartTimestamp = startTimestamp;
        _isActive = 1;
    }

    /// <summary>Whether there was a destination, and the pick is still owed its completion.</summary>
    public readonly bool IsActive => _isActive != 0;

    /// <summary>Where to go.</summary>
    /// <exception cref="InvalidOperationException">Nothing was picked.</exception>
    public readonly Destination Destination => _destination ?? throw new InvalidOperationException("Nothing was picked.");

    /// <summary>When the pick was made, in timestamp ticks.</summary>
    public long StartTimestamp { get; }

    /// <summary>Completes the pick. The first call counts, later ones do nothing, so every exit path may call it, also from several threads.</summary>
    public void Complete(in PickOutcome outcome)
    {
        // An end and an abort may race: the exchange gives the lease to one of them.
        if (Interlocked.Exchange(ref _isActive, 0) != 0) _scheduler!.Complete(_destination!, StartTimestamp, outcome);
    }
}
