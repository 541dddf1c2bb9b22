namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Ends what a replaced configuration has used and its successor does not: what it alone has had once the last request is over that goes by it, and what it has had from the one before
/// once the last is over that goes by any before it, too.
/// </summary>
internal sealed class SnapshotRetirement
{
    private readonly bool[] _isDone; // by loop, which writes its own
    private readonly Action<Exception> _failed;
    private readonly Lock _ending = new();
    private IReadOnlyList<IDisposable> _own, _inherited;
    private SnapshotRetirement? _next;
    private int _loops, _waiting = 1; // for its own requests, and for those of the ones before
    private bool _isOver; // under _ending

    /// <param name="own">What it alone has had.</param>
    /// <param name="inherited">What the one before it has had as well.</param>
    /// <param name="loopCount">Number of loops.</param>
    /// <param name="failed">Told of what disposing throws.</param>
    /// <param name="previous">Of the configuration before; null for none.</param>
    internal SnapshotRetirement(IReadOnlyList<IDisposable> own, IReadOnlyList<IDisposable> inherited, int loopCount, Action<Exception> failed, SnapshotRetirement? previous)
    {
        (_own, _inherited, _failed) = (own, inherited, failed);
        _isDone = new bool[loopCount];
        _loops = loopCount;
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
        if (Interlocked.Decrement(ref _loops) > 0) return;
        Dispose(ref _own);
        OneIsDone();
    }

    private void OneIsDone()
    {
        if (Interlocked.Decrement(ref _waiting) > 0) return;
        Dispose(ref _inherited);
        SnapshotRetirement? next;
        lock (_ending)
        {
            _isOver = true;
            next = _next;
            _next = null; // what keeps this one, such as a buffer for requests, keeps none of those after it
        }
        next?.OneIsDone();
    }

    // Disposing may wait: not on a loop.
    private void Dispose(ref IReadOnlyList<IDisposable> list)
    {
        IReadOnlyList<IDisposable> left = list;
        list = [];
        if (left.Count > 0) _ = Task.Run(() => End(left));
    }

    private void End(IReadOnlyList<IDisposable> left)
    {
        foreach (IDisposable one in left)
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
    }
}
