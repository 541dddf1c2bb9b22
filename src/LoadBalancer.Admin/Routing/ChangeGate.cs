namespace LoadBalancer.Admin.Routing;

/// <summary>
/// Lets changes through until another process takes over: that is told of all that was done here, so nothing may be done, and answered as done, after it was told. Thread-safe.
/// </summary>
internal sealed class ChangeGate
{
    private readonly object _changing = new(); // not a Lock: it is waited on
    private int _underWay;
    private bool _isClosed;

    /// <summary>Begins a change, which <see cref="Leave"/> ends; false while none may begin.</summary>
    internal bool TryEnter()
    {
        lock (_changing)
        {
            if (_isClosed) return false;
            _underWay++;
            return true;
        }
    }

    /// <summary>Ends a change.</summary>
    internal void Leave()
    {
        lock (_changing)
        {
            if (--_underWay == 0) Monitor.PulseAll(_changing);
        }
    }

    /// <summary>Lets none begin any more, and blocks until those under way have ended; false, and it is open again, where that takes longer.</summary>
    internal bool TryClose(TimeSpan timeMax)
    {
        lock (_changing)
        {
            _isClosed = true;
            long end = Environment.TickCount64 + (long)timeMax.TotalMilliseconds;
            while (_underWay > 0)
            {
                if (Monitor.Wait(_changing, (int)Math.Max(0, end - Environment.TickCount64))) continue;
                _isClosed = false;
                return false;
            }
            return true;
        }
    }

    /// <summary>Lets changes begin again.</summary>
    internal void Open()
    {
        lock (_changing) _isClosed = false;
    }
}
