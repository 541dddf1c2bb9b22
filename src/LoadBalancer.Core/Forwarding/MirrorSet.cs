namespace LoadBalancer.Core.Forwarding;

/// <summary>The mirrored requests of one loop: those under way, so that they can be cut when the server ends, and some kept for reuse. Its thread only.</summary>
internal sealed class MirrorSet(LoopContext context)
{
    private const int KeptMax = 256;
    private Mirror? _first; // under way
    private Mirror? _free;
    private int _freeCount;

    /// <summary>Whether none is under way.</summary>
    internal bool IsEmpty => _first is null;

    internal Mirror Lease()
    {
        Mirror? mirror = _free;
        if (mirror is null) mirror = new Mirror(context);
        else
        {
            _free = mirror.NextInSet;
            _freeCount--;
        }
        mirror.NextInSet = _first;
        if (_first is not null) _first.PreviousInSet = mirror;
        _first = mirror;
        return mirror;
    }

    internal void Return(Mirror mirror)
    {
        if (mirror.PreviousInSet is { } previous) previous.NextInSet = mirror.NextInSet;
        else _first = mirror.NextInSet;
        if (mirror.NextInSet is { } next) next.PreviousInSet = mirror.PreviousInSet;
        mirror.NextInSet = mirror.PreviousInSet = null;
        if (_freeCount < KeptMax)
        {
            _freeCount++;
            mirror.NextInSet = _free;
            _free = mirror;
        }
        context.OnMirrorEnded();
    }

    /// <summary>Ends all that are under way, by the end of the loop's turn.</summary>
    internal void Cut()
    {
        for (Mirror? mirror = _first; mirror is not null; mirror = mirror.NextInSet) mirror.Cut();
    }
}
