namespace LoadBalancer.Scripting.Running;

/// <summary>Lets so many lines a second into the log, and counts those that it does not. Thread-safe.</summary>
internal sealed class LineRate(int perSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private long _windowStart;
    private int _taken;
    private long _leftOut;
    private bool _hasStarted;

    /// <param name="leftOut">How many were left out before this one, which are told of now.</param>
    internal bool TryTake(out long leftOut)
    {
        leftOut = 0;
        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (!_hasStarted || time.GetElapsedTime(_windowStart, now) >= TimeSpan.FromSeconds(1)) (_windowStart, _taken, _hasStarted) = (now, 0, true);
            if (++_taken > perSecond)
            {
                _leftOut++;
                return false;
            }
            (leftOut, _leftOut) = (_leftOut, 0);
            return true;
        }
    }
}
