namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// The requests of one loop that no client waits for: those under way, so that they can be cut when the server ends, and some mirrors kept for reuse. Its thread only.
/// </summary>
internal sealed class DetachedSet(LoopContext context)
{
    private const int MirrorsKeptMax = 256;
    private DetachedRequest? _first; // under way
    private DetachedRequest? _freeMirrors;
    private int _freeMirrorCount;

    /// <summary>Whether none is under way.</summary>
    internal bool IsEmpty => _first is null;

    internal Mirror LeaseMirror()
    {
        Mirror? mirror = (Mirror?)_freeMirrors;
        if (mirror is null) mirror = new Mirror(context);
        else
        {
            _freeMirrors = mirror.NextInSet;
            _freeMirrorCount--;
        }
        Add(mirror);
        return mirror;
    }

    internal void Add(DetachedRequest request)
    {
        request.NextInSet = _first;
        if (_first is not null) _first.PreviousInSet = request;
        _first = request;
    }

    /// <summary>It has ended.</summary>
    internal void Remove(DetachedRequest request)
    {
        if (request.PreviousInSet is { } previous) previous.NextInSet = request.NextInSet;
        else _first = request.NextInSet;
        if (request.NextInSet is { } next) next.PreviousInSet = request.PreviousInSet;
        request.NextInSet = request.PreviousInSet = null;
        if (request is Mirror && _freeMirrorCount < MirrorsKeptMax)
        {
            _freeMirrorCount++;
            request.NextInSet = _freeMirrors;
            _freeMirrors = request;
        }
        context.OnDetachedEnded();
    }

    /// <summary>Ends all that are under way, by the end of the loop's turn.</summary>
    internal void Cut()
    {
        for (DetachedRequest? request = _first; request is not null; request = request.NextInSet) request.Cut();
    }
}
