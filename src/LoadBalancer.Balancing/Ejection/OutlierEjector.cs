namespace LoadBalancer.Balancing;

/// <summary>
/// Outlier ejection over the members of one scheduler. <see cref="Count"/> is called by every completion, from any thread; all else under
/// the scheduler's lock. Has no clock of its own: ejections end when the scheduler is next asked at or after <see cref="NextReturn"/>.
/// </summary>
internal sealed class OutlierEjector
{
    private readonly FailureLimits _limits;
    private readonly long _durationTicks, _durationMaxTicks;
    private readonly double _ejectedShareMax;
    private volatile bool _mayEject; // read before the lock is taken, so that a cluster that fails as a whole does not queue up for it

    internal OutlierEjector(EjectionOptions options, long timestampFrequency)
    {
        long Ticks(TimeSpan time) => Math.Max(1, (long)(time.TotalSeconds * timestampFrequency));
        _limits = new FailureLimits(options.ConsecutiveFailures, options.FailureShareMax, options.RequestsMin, Ticks(options.Window));
        _durationTicks = Ticks(options.Duration);
        _durationMaxTicks = Ticks(options.DurationMax);
        _ejectedShareMax = options.EjectedShareMax;
    }

    /// <summary>The earliest end of an ejection; <see cref="long.MaxValue"/> for none.</summary>
    internal long NextReturn { get; private set; } = long.MaxValue;

    /// <summary>Counts an outcome; true when the destination deserves to be ejected and, as far as is known without the lock, may be.</summary>
    // Hot path: per attempt. 0 allocations, no lock. EjectionTests.PickAndComplete_MixedOutcomes_AllocatesNothing
    internal bool Count(Destination destination, PickOutcomeKind kind, long now) =>
        kind is not (PickOutcomeKind.Cancelled or PickOutcomeKind.Refused) && destination.Live.Failures.Count(kind != PickOutcomeKind.Success, now, _limits) && _mayEject;

    /// <summary>Whether the destination can be taken from these members without going below the floor.</summary>
    internal bool MayEject(Destination destination, Destination[] members) =>
        destination.Status == DestinationStatus.Eligible && Array.IndexOf(members, destination) >= 0 && HasRoom(members);

    /// <summary>Begins the ejection of a destination that <see cref="MayEject"/> agreed to.</summary>
    internal void Begin(Destination destination, long now) => destination.Ejection.Begin(now, _durationTicks, _durationMaxTicks);

    /// <summary>Ends the ejection: what was counted before says nothing any more.</summary>
    internal static void End(Destination destination, long now)
    {
        destination.Ejection.End(now);
        destination.Live.Failures.Clear();
    }

    /// <summary>To be told after every change of members or of a status.</summary>
    internal void Changed(Destination[] members)
    {
        _mayEject = HasRoom(members);
        NextReturn = long.MaxValue;
        foreach (Destination member in members) NextReturn = Math.Min(NextReturn, member.Ejection.Until);
    }

    private bool HasRoom(Destination[] members)
    {
        int ejected = 0, eligible = 0;
        foreach (Destination member in members)
        {
            if (member.Status.HasFlag(DestinationStatus.Ejected)) ejected++;
            if (member.Status == DestinationStatus.Eligible) eligible++;
        }
        return eligible > 1 && ejected < (int)(members.Length * _ejectedShareMax);
    }
}
