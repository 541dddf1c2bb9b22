namespace LoadBalancer.Core.Files;

/// <summary>Has files looked at from time to time, on the thread pool.</summary>
internal sealed class FileLookTimer : IDisposable
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Something new is taken when it has not changed for this long: files are written in pieces, and a key after its certificate.</summary>
    internal static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(1);

    private const int IdleFactor = 100; // at most a hundredth of a processor, however many files there are

    private readonly TimeProvider _time;
    private readonly Func<bool> _look;
    private readonly Action<Exception> _failed;
    private readonly ITimer _timer;
    private volatile bool _isDisposed;

    /// <param name="time">The clock.</param>
    /// <param name="look">Looks; true where it has found something that may still be being written.</param>
    /// <param name="failed">Is told of what <paramref name="look"/> throws: a bug, which on a timer would end the process.</param>
    internal FileLookTimer(TimeProvider time, Func<bool> look, Action<Exception> failed)
    {
        _time = time;
        _look = look;
        _failed = failed;
        _timer = time.CreateTimer(static timer => ((FileLookTimer)timer!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal void Start() => _timer.Change(Interval, Timeout.InfiniteTimeSpan);

    private void OnTimer()
    {
        TimeSpan next = Interval;
        long start = _time.GetTimestamp();
        try
        {
            bool isUnsettled = _look();
            TimeSpan idle = _time.GetElapsedTime(start) * IdleFactor;
            next = isUnsettled ? SettlingTime : idle > Interval ? idle : Interval;
        }
        catch (Exception e)
        {
            _failed(e);
        }
        if (!_isDisposed) _timer.Change(next, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends the looking. A look under way is not waited for.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
    }
}
