using System.Runtime.CompilerServices;
using Jint;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Scripting.Running;

/// <summary>
/// Counts what a call uses, over all the pieces it runs in, and ends it where that is too much. Asked before each statement and by long-running built-ins.
/// </summary>
/// <remarks>
/// One constraint for all, not the interpreter's own ones: those begin anew after each await. Bytes are looked at before each statement, since one statement can double
/// what there is; the clock, which costs more, every 32nd time. See bench/results/scripting.md.
/// </remarks>
internal sealed class ScriptBudget(TimeProvider time) : Constraint
{
    private const int ClockInterval = 32;

    private ScriptLimits _limits = ScriptLimits.OfLoading;
    private long _statementsLeft = long.MaxValue;
    private long _bytesLeft, _bytesEnd = long.MaxValue; // the end: of the thread's count of allocated bytes
    private long _ticksLeft, _ticksEnd = long.MaxValue, _enteredAt;
    private int _untilClock = ClockInterval;

    /// <summary>Time in which the call has run, in the clock's ticks.</summary>
    internal long TicksUsed { get; private set; }

    /// <summary>Bytes that may still be allocated; for built-ins that allocate much at once.</summary>
    internal long BytesLeft => _bytesEnd - GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Bytes allocated so far.</summary>
    internal long BytesUsed => _limits.AllocatedBytesMax - BytesLeft;

    public override bool IsAmortizable => false;

    /// <summary>Begins a call.</summary>
    internal void Begin(ScriptLimits limits)
    {
        _limits = limits;
        _statementsLeft = limits.StatementsMax;
        _bytesLeft = limits.AllocatedBytesMax;
        _ticksLeft = (long)(limits.RunTimeMax.TotalSeconds * time.TimestampFrequency);
        TicksUsed = 0;
    }

    /// <summary>The call runs from here, on this thread.</summary>
    internal void Enter()
    {
        _bytesEnd = GC.GetAllocatedBytesForCurrentThread() + _bytesLeft;
        _enteredAt = time.GetTimestamp();
        _ticksEnd = _enteredAt + _ticksLeft;
        _untilClock = ClockInterval;
    }

    /// <summary>The call waits, or has ended.</summary>
    internal void Leave()
    {
        _bytesLeft = _bytesEnd - GC.GetAllocatedBytesForCurrentThread();
        long used = time.GetTimestamp() - _enteredAt;
        _ticksLeft -= used;
        TicksUsed += used;
        _bytesEnd = _ticksEnd = long.MaxValue;
    }

    // Hot path: per statement.
    public override void Check()
    {
        if (--_statementsLeft < 0) throw new ScriptOverrunException($"more than {_limits.StatementsMax} statements");
        if (GC.GetAllocatedBytesForCurrentThread() > _bytesEnd) ThrowBytes();
        // The interpreter has frames of its own for each of the script's: a proxy's traps, accessors and conversions are not counted as calls.
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new ScriptOverrunException("calls within each other use up the stack");
        if (--_untilClock > 0) return;
        _untilClock = ClockInterval;
        if (time.GetTimestamp() > _ticksEnd) throw new ScriptOverrunException($"ran for more than {DurationText.Format(_limits.RunTimeMax)}");
    }

    /// <summary>Something is about to allocate so much at once.</summary>
    internal void Demand(double bytes)
    {
        if (bytes > BytesLeft) ThrowBytes();
    }

    public override void Reset()
    {
        // At the interpreter's entries, of which a call has many.
    }

    private void ThrowBytes() => throw new ScriptOverrunException($"allocated more than {_limits.AllocatedBytesMax} bytes");
}
