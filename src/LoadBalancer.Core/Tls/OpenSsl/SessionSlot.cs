using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Tls.OpenSsl;

/// <summary>The newest session with one destination on one loop: one, whatever the destination sends. That loop's thread only.</summary>
internal sealed class SessionSlot() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>0 for none.</summary>
    internal nint Pointer => IsClosed ? 0 : handle;

    /// <summary>Until when the destination is believed without verifying its certificate again, which is not done when the session is resumed.</summary>
    internal DateTime BelievedUntil { get; private set; }

    /// <summary>Takes a session, with its count, in place of the last. False when the destination has left.</summary>
    internal bool Keep(nint session, DateTime believedUntil)
    {
        if (IsClosed) return false;
        if (!IsInvalid) LibSsl.SessionFree(handle);
        SetHandle(session);
        BelievedUntil = believedUntil;
        return true;
    }

    protected override bool ReleaseHandle()
    {
        LibSsl.SessionFree(handle);
        return true;
    }
}
