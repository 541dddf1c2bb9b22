namespace LoadBalancer.Core.Timers;

/// <summary>
/// Timers of a millisecond's resolution, for the few that are part of a latency instead of a bound: a <see cref="TimerWheel"/> that is told the
/// time in fiftieths of a millisecond, so that its tick is one. A timer is in one wheel at a time: <see cref="Remove"/> it here before it goes to the other.
/// </summary>
/// <remarks>Taken out at once, unlike there: what is left behind would have the loop wake each millisecond.</remarks>
internal sealed class PreciseTimers
{
    private const int Scale = TimerWheel.TickMilliseconds;
    private readonly TimerWheel _wheel = new(0);

    /// <inheritdoc cref="TimerWheel.IsEmpty"/>
    internal bool IsEmpty => _wheel.IsEmpty;

    /// <inheritdoc cref="TimerWheel.Set"/>
    internal void Set(LoopTimer timer, long deadlineMilliseconds) => _wheel.Set(timer, deadlineMilliseconds * Scale);

    /// <inheritdoc cref="TimerWheel.Remove"/>
    internal void Remove(LoopTimer timer) => _wheel.Remove(timer);

    /// <inheritdoc cref="TimerWheel.Advance"/>
    internal void Advance(long nowMilliseconds) => _wheel.Advance(nowMilliseconds * Scale);

    /// <summary>How long the loop may sleep, in milliseconds, at most <paramref name="max"/>.</summary>
    internal int MillisecondsToNext(int max) => _wheel.TicksToNext(max);
}
