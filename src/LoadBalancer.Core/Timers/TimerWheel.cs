using System.Runtime.CompilerServices;

namespace LoadBalancer.Core.Timers;

/// <summary>
/// A hashed timer wheel (Varghese and Lauck, 1987, scheme 6) with lazy moves. One per loop, its thread only.
/// Resolution is one tick; a deadline never fires early and fires at most one tick late while the loop is responsive.
/// </summary>
internal sealed class TimerWheel
{
    internal const int TickMilliseconds = 50;
    private const int SlotCount = 512; // 25.6 s a round; longer deadlines are looked at once a round
    private readonly LoopTimer?[] _slots = new LoopTimer?[SlotCount];
    private long _tick; // last tick that was processed
    private int _queued;

    internal TimerWheel(long nowMilliseconds) => _tick = nowMilliseconds / TickMilliseconds;

    /// <summary>Whether any timer waits, so that an idle loop may sleep without limit.</summary>
    internal bool IsEmpty => _queued == 0;

    /// <summary>Arms or moves a timer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Set(LoopTimer timer, long deadlineMilliseconds)
    {
        timer.Deadline = deadlineMilliseconds;
        // Queued at an earlier or equal tick: that slot will look at the new deadline. Otherwise queue anew.
        long tick = DueTick(deadlineMilliseconds);
        if ((ulong)timer.QueuedTick > (ulong)tick) Requeue(timer, tick); // -1 reads as the largest
    }

    /// <summary>Disarms a timer; it stays queued until its slot comes round, so a timer that ends its life calls <see cref="Remove"/>.</summary>
    internal static void Cancel(LoopTimer timer) => timer.Deadline = LoopTimer.None;

    /// <summary>Disarms a timer and takes it out of the wheel at once.</summary>
    internal void Remove(LoopTimer timer)
    {
        timer.Deadline = LoopTimer.None;
        if (timer.QueuedTick >= 0) Unlink(timer);
    }

    /// <summary>Fires every timer whose deadline is at or before <paramref name="nowMilliseconds"/>.</summary>
    internal void Advance(long nowMilliseconds)
    {
        long target = nowMilliseconds / TickMilliseconds;
        long round = _tick + SlotCount;
        while (_tick < target)
        {
            if (_queued == 0)
            {
                _tick = target;
                return;
            }
            // After a whole round no timer that was due is left, however far the clock jumped (a machine that slept,
            // a clock that was set): the last round before the target puts those that stay where they belong.
            if (_tick == round) _tick = Math.Max(_tick, target - SlotCount);
            _tick++;
            // Taken off one by one: a callback may set or remove any timer. What is queued meanwhile goes to ticks
            // _tick+1 to _tick+SlotCount-1, so never to the slot that is being emptied, and the loop ends.
            while (_slots[_tick & (SlotCount - 1)] is { } timer)
            {
                Unlink(timer);
                if (timer.Deadline == LoopTimer.None) continue;
                if (timer.Deadline > nowMilliseconds)
                {
                    Requeue(timer, DueTick(timer.Deadline));
                    continue;
                }
                timer.Deadline = LoopTimer.None;
                timer.OnTimeout();
            }
        }
    }

    /// <summary>Ticks from the last one processed to the next that has a timer, at most <paramref name="max"/>.</summary>
    internal int TicksToNext(int max)
    {
        int ticks = 1;
        while (ticks < max && _slots[(_tick + ticks) & (SlotCount - 1)] is null) ticks++;
        return ticks;
    }

    // The first tick at whose start the deadline has passed, and never one already processed.
    private long DueTick(long deadlineMilliseconds) =>
        Math.Clamp((deadlineMilliseconds + TickMilliseconds - 1) / TickMilliseconds, _tick + 1, _tick + SlotCount - 1);

    private void Requeue(LoopTimer timer, long tick)
    {
        if (timer.QueuedTick >= 0) Unlink(timer);
        ref LoopTimer? head = ref _slots[tick & (SlotCount - 1)];
        timer.QueuedTick = tick;
        timer.Previous = null;
        timer.Next = head;
        if (head is not null) head.Previous = timer;
        head = timer;
        _queued++;
    }

    private void Unlink(LoopTimer timer)
    {
        if (timer.Previous is { } previous) previous.Next = timer.Next;
        else _slots[timer.QueuedTick & (SlotCount - 1)] = timer.Next;
        if (timer.Next is { } next) next.Previous = timer.Previous;
        timer.Next = timer.Previous = null;
        timer.QueuedTick = -1;
        _queued--;
    }
}
