namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Ends what only a replaced configuration has used, once the last request is over that goes by it, and by any before it: these may use what it has shared with them and not with its
/// successor.
/// </summary>
internal sealed class SnapshotRetirement
{
    private IReadOnlyList<IDisposable> _left;
    private readonly bool[] _isDone; // by loop, which writes its own
    private readonly Action<Exception> _failed;
    private readonly Lock _ending = new();
    private SnapshotRetirement? _next;
    private int _waiting;
    private bool _isOver; // under _ending

    /// <param name="left">What is disposed of.</param>
    /// <param name="loopCount">Number of loops.</param>
    /// <param name="failed">Told of what that throws.</param>
    /// <param name="previous">Of the configuration before; null for none.</param>
    internal SnapshotRetirement(IReadOnlyList<IDisposable> left, int loopCount, Action<Exception> failed, SnapshotRetirement? previous)
    {
        _left = left;
        _isDone = new bool[loopCount];
        _waiting = loopCount;
        _failed = failed;
        if (previous is null) return;
        lock (previous._ending)
        {
            if (previous._isOver) return;
            _waiting++;
            previous._next = this;
        }
    }

    /// <summary>Whether <see cref="LoopIsDone"/> was called. On that loop's thread.</summary>
    internal bool IsDone(int loop) => _isDone[loop];

    /// <summary>No request of a loop goes by it, nor will. On its loop's thread; what is said again is not heard.</summary>
    internal void LoopIsDone(int loop)
    {
        if (_isDone[loop]) return;
        _isDone[loop] = true;
        OneIsDone();
    }

    private void OneIsDone()
    {
        if (Interlocked.Decrement(ref _waiting) > 0) return;
        if (_left.Count > 0) _ = Task.Run(End); // it may wait: not on a loop
        else GoOn();
    }

    private void End()
    {
        foreach (IDisposable one in _left)
        {
            try
            {
                one.Dispose();
            }
            catch (Exception e)
            {
                _failed(e);
            }
        }
        GoOn();
    }

    private void GoOn()
    {
        SnapshotRetirement? next;
        lock (_ending)
        {
            _isOver = true;
            next = _next;
            _next = null; // what keeps this one, such as a buffer for requests, keeps none of those after it
            _left = [];
        }
        next?.OneIsDone();
    }
}
