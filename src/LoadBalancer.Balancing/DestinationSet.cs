using System.Runtime.CompilerServices;

namespace LoadBalancer.Balancing;

/// <summary>The destinations that may be used at a time, each with its seat from 0 on: an immutable snapshot that one picker is built for.</summary>
public sealed class DestinationSet
{
    private readonly Destination[] _destinations;
    private readonly int[] _weights;
    private readonly double _perSlowStart; // ramps per tick

    internal DestinationSet(Destination[] destinations, int[] weights, SchedulerOptions options, PickRandom random)
    {
        _destinations = destinations;
        _weights = weights;
        Options = options;
        _perSlowStart = 1 / (options.SlowStart.TotalSeconds * options.TimestampFrequency); // infinite without: every part is then 1 or more
        Random = random;
    }

    /// <summary>Number of destinations.</summary>
    public int Count => _destinations.Length;

    /// <summary>The destination in a seat.</summary>
    public Destination this[int seat] => _destinations[seat];

    /// <summary>Configured weights, seat by seat.</summary>
    public ReadOnlySpan<int> Weights => _weights;

    /// <summary>Chance for pickers.</summary>
    public PickRandom Random { get; }

    /// <summary>Settings of the scheduler.</summary>
    public SchedulerOptions Options { get; }

    /// <summary>Counts a pick of the destination; false, and nothing counted, when it is at its limit.</summary>
    public bool TryReserve(int seat, long now) => _destinations[seat].TryReserve(now, out _);

    /// <summary>Seat of a destination, or -1 when it is not in this set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SeatOf(Destination destination)
    {
        int seat = destination.Seat; // belongs to the newest set, which may be another
        return (uint)seat < (uint)_destinations.Length && ReferenceEquals(_destinations[seat], destination) ? seat : -1;
    }

    /// <summary>
    /// The part of its share that a destination gets while it starts slowly: from a tenth to 1, in proportion to the time since it came
    /// (Envoy's slow start with aggression 1).
    /// </summary>
    internal float Ramp(Destination destination, long now)
    {
        long since = destination.AdmittedAt;
        if (since == long.MinValue) return 1;
        double part = (now - since) * _perSlowStart;
        return part >= 1 ? 1 : (float)Math.Max(0.1, part);
    }

    /// <summary>Whether this turn of a destination goes to another one: it starts slowly, or has asked to be left alone.</summary>
    internal bool IsHeldBack(Destination destination, long now) => destination.IsHeld(now)
        || (destination.AdmittedAt != long.MinValue && Ramp(destination, now) is var ramp && ramp < 1 && Random.NextDouble() > ramp);

    /// <summary>
    /// Reserves the first that can be, from a seat on and round; those that asked to be left alone after the others. For when drawing has
    /// failed: costs a look at each.
    /// </summary>
    internal Destination? ReserveAny(int from, Destination? exclude, long now)
    {
        bool someAreHeld = false;
        for (int i = 0; i < _destinations.Length; i++)
        {
            Destination candidate = At(from + i);
            if (ReferenceEquals(candidate, exclude)) continue;
            if (candidate.IsHeld(now)) someAreHeld = true;
            else if (candidate.TryReserve(now, out _)) return candidate;
        }
        for (int i = 0; someAreHeld && i < _destinations.Length; i++)
        {
            Destination candidate = At(from + i);
            if (!ReferenceEquals(candidate, exclude) && candidate.TryReserve(now, out _)) return candidate;
        }
        // The failed one again is better than none.
        return exclude is not null && SeatOf(exclude) >= 0 && exclude.TryReserve(now, out _) ? exclude : null;
    }

    private Destination At(int place) => _destinations[(int)((uint)place % (uint)_destinations.Length)];
}
