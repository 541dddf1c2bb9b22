namespace LoadBalancer.Balancing;

/// <summary>
/// Leaves destinations alone for as long as they ask (Retry-After), up to <see cref="SecondsMax"/>, but never more than half of the members at
/// once: when most of them ask, or clients draw such answers from them, somebody has to do the work. Any thread, without a lock: where two
/// ask at the same moment, one too many may be granted.
/// </summary>
internal sealed class Holds(long timestampFrequency)
{
    /// <summary>Longest time one answer can ask for, in seconds.</summary>
    internal const int SecondsMax = 300; // Linkerd's bound of Retry-After

    private readonly long _ticksMax = SecondsMax * timestampFrequency;
    private int _granted; // at least as many as are held: those that have ended are not counted until it matters
    private long _fullUntil = long.MinValue;

    /// <summary>To be told when members have come or gone: there may be room again.</summary>
    internal void MembersChanged() => Volatile.Write(ref _fullUntil, long.MinValue);

    /// <summary>A destination has asked for a time.</summary>
    internal void Ask(Destination destination, long ticks, long now, Destination[] members)
    {
        if (!destination.IsHeld(now) && !TryGrant(now, members)) return;
        destination.HeldUntil = Math.Max(destination.HeldUntil, now + Math.Min(ticks, _ticksMax));
    }

    private bool TryGrant(long now, Destination[] members)
    {
        if (now < Volatile.Read(ref _fullUntil)) return false;
        int most = members.Length / 2;
        if (Interlocked.Increment(ref _granted) <= most) return true;

        int held = 0;
        long first = long.MaxValue;
        foreach (Destination member in members)
        {
            if (!member.IsHeld(now)) continue;
            held++;
            first = Math.Min(first, member.HeldUntil);
        }
        bool hasRoom = held < most;
        Volatile.Write(ref _granted, hasRoom ? held + 1 : held);
        if (!hasRoom) Volatile.Write(ref _fullUntil, first); // until then no look at all of them is needed
        return hasRoom;
    }
}
