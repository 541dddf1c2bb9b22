namespace LoadBalancer.Caching.Storage.Bodies;

/// <summary>Who waits for more of one body. Made when the first one does: most bodies are never followed.</summary>
internal sealed class BodyWatchers
{
    private List<IBodyWatcher> _waiting = [], _notified = [];

    internal bool TryAdd(IBodyWatcher watcher)
    {
        lock (this)
        {
            if (_waiting.Count >= StoredBody.WatchersMax) return false;
            _waiting.Add(watcher);
            return true;
        }
    }

    internal bool TryRemove(IBodyWatcher watcher)
    {
        lock (this) return _waiting.Remove(watcher);
    }

    /// <summary>By the writer only. Outside the lock: a watcher may wait again at once.</summary>
    internal void NotifyAll(StoredBody body)
    {
        List<IBodyWatcher> notified;
        lock (this)
        {
            if (_waiting.Count == 0) return;
            notified = _waiting;
            _waiting = _notified;
            _notified = notified;
        }
        foreach (IBodyWatcher watcher in notified) watcher.OnBodyChanged(body);
        notified.Clear();
    }
}
