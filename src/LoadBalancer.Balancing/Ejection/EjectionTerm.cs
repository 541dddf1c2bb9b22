namespace LoadBalancer.Balancing;

/// <summary>How often one destination was ejected in a row, and until when it is now. Changed under the scheduler's lock.</summary>
internal struct EjectionTerm
{
    private int _inARow;
    private long _endedAt;

    /// <summary>When it returns; <see cref="long.MaxValue"/> when it is not ejected.</summary>
    internal long Until { get; private set; } = long.MaxValue;

    public EjectionTerm()
    {
    }

    /// <summary>
    /// Begins an ejection: the n-th in a row lasts n durations, up to the bound. One is forgiven for each whole duration that has passed since
    /// the last return, so a destination that fails now and then is not treated as one that always does.
    /// </summary>
    internal void Begin(long now, long duration, long durationMax)
    {
        if (_inARow > 0) _inARow -= (int)Math.Clamp((now - _endedAt) / duration, 0, _inARow);
        // Counting beyond the bound would only prolong the forgiving.
        if (_inARow * duration < durationMax) _inARow++;
        Until = now + Math.Min(_inARow * duration, durationMax);
    }

    /// <summary>Ends it.</summary>
    internal void End(long now)
    {
        Until = long.MaxValue;
        _endedAt = now;
    }
}
