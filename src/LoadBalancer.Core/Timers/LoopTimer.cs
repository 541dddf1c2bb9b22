namespace LoadBalancer.Core.Timers;

/// <summary>
/// One deadline, kept by the object it guards (no timer object per request). Used on the owning loop's thread only.
/// Setting a later deadline or cancelling is one store: the wheel looks again when the old slot comes round.
/// </summary>
internal abstract class LoopTimer
{
    internal const long None = long.MaxValue;

    internal LoopTimer? Next, Previous;
    internal long Deadline = None;      // milliseconds of the loop's clock; None = not armed
    internal long QueuedTick = -1;      // the wheel tick it is queued under; -1 = not queued

    /// <summary>Called once on the loop's thread when the deadline has passed. The timer is disarmed then and may be set again.</summary>
    protected internal abstract void OnTimeout();
}
