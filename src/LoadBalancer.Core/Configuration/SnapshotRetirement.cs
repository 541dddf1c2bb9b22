namespace LoadBalancer.Core.Configuration;

/// <summary>Ends what only a replaced configuration has used, once the last request is over that goes by it.</summary>
internal sealed class SnapshotRetirement
{
    private readonly IReadOnlyList<IDisposable> _left;
    private readonly bool[] _isDone; // by loop, which writes its own
    private readonly Action<Exception> _failed;
    private int _waiting;

    /// <param name="left">What is disposed of.</param>
    /// <param name="loopCount">Number of loops.</param>
    /// <param name="failed">Told of what that throws.</param>
    internal SnapshotRetirement(IReadOnlyList<IDisposable> left, int loopCount, Action<Exception> failed)
    {
        _left = left;
        _isDone = new bool[loopCount];
        _waiting = loopCount;
        _failed = failed;
    }

    /// <summary>No request of a loop goes by it, nor will. On its loop's thread; what is said again is not heard.</summary>
    internal void LoopIsDone(int loop)
    {
        if (_isDone[loop]) return;
        _isDone[loop] = true;
        if (Interlocked.Decrement(ref _waiting) == 0 && _left.Count > 0) _ = Task.Run(End); // it may wait: not on a loop
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
    }
}
