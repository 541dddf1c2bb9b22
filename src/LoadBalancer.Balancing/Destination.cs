using System.Runtime.CompilerServices;
using System.Diagnostics;

namespace LoadBalancer.Balancing;

/// <summary>
/// One server as balancing sees it: what is known of it, and its live state. The same object stays through every change of the set as
/// long as its identity does, and until its last pick is completed. Thread-safe.
/// </summary>
public sealed class Destination
{
    private int _outstandingMax = int.MaxValue;
    private int _status;
    private bool _isUsed;
    private long _heldUntil = long.MinValue;
    internal LiveState Live;
    internal EjectionTerm Ejection = new();

    internal Destination(string identity, object? tag)
    {
        Identity = identity;
        Tag = tag;
        IdentityHash = HashKeys.Of(identity);
    }

    /// <summary>What makes it the same destination after a change of configuration.</summary>
    public string Identity { get; }

    /// <summary>What the owner attached: an address, a connection pool.</summary>
    public object? Tag { get; internal set; }

    /// <summary>Where it is; null when that is not known. See <see cref="SchedulerOptions.Zone"/>.</summary>
    public string? Zone { get; internal set; }

    /// <summary>Picks not completed yet.</summary>
    public int Outstanding => Volatile.Read(ref Live.Outstanding);

    /// <summary>Reasons not to use it; <see cref="DestinationStatus.Eligible"/> when there are none.</summary>
    public DestinationStatus Status => (DestinationStatus)Volatile.Read(ref _status);

    /// <summary>Whether picks go to it now: it is a member without reasons against it, or all are used as too few are without.</summary>
    public bool IsPicked => IsUsed;

    /// <summary>When its ejection ends, in timestamp ticks; <see cref="long.MaxValue"/> when it is not ejected.</summary>
    public long EjectedUntil => Ejection.Until;

    /// <summary>What outlier ejection has counted.</summary>
    public FailureCounts Failures => Live.Failures.View();

    /// <summary>Hash of the identity, the same in every process.</summary>
    internal ulong IdentityHash { get; }

    /// <summary>Whether the newest set has it: whether picks may go to it.</summary>
    internal bool IsUsed
    {
        get => Volatile.Read(ref _isUsed);
        set => Volatile.Write(ref _isUsed, value);
    }

    /// <summary>Place in the newest set it is part of. A hint: whoever uses it checks that the set has this object there.</summary>
    internal int Seat { get; set; }

    /// <summary>Tier of the newest set it is part of, as a hint like <see cref="Seat"/>.</summary>
    internal int Tier { get; set; }

    /// <summary>Since when it may be used again, in timestamp ticks; <see cref="long.MinValue"/> when that was from the start.</summary>
    internal long AdmittedAt { get; set; } = long.MinValue;

    /// <summary>Until when it has asked to be left alone, in timestamp ticks.</summary>
    internal long HeldUntil
    {
        get => Volatile.Read(ref _heldUntil);
        set => Volatile.Write(ref _heldUntil, value);
    }

    /// <summary>Whether it has asked to be left alone at that time.</summary>
    internal bool IsHeld(long now) => now < HeldUntil;

    internal int OutstandingMax
    {
        get => Volatile.Read(ref _outstandingMax);
        set => Volatile.Write(ref _outstandingMax, value);
    }

    internal bool IsFull => Outstanding >= OutstandingMax;

    internal void SetStatus(DestinationStatus status) => Volatile.Write(ref _status, (int)status);

    // Hot path: per attempt. 0 allocations. PolicyTests.PickAndComplete_AnyPolicy_AllocatesNothing
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryReserve(long now, out int outstanding)
    {
        int max = OutstandingMax;
        if (max == int.MaxValue) outstanding = Interlocked.Increment(ref Live.Outstanding);
        else
        {
            // Never counted above the limit, not even for a moment: to others a place that is free would look taken, and whoever waits for
            // it would wait on.
            int before, seen = Outstanding;
            do
            {
                before = seen;
                if (before >= max)
                {
                    outstanding = 0;
                    return false;
                }
                seen = Interlocked.CompareExchange(ref Live.Outstanding, before + 1, before);
            }
            while (seen != before);
            outstanding = before + 1;
        }
        if (outstanding == 1) Volatile.Write(ref Live.BusySince, now);
        return true;
    }

    internal int Release()
    {
        int left = Interlocked.Decrement(ref Live.Outstanding);
        Debug.Assert(left >= 0, "a pick was completed twice");
        return left;
    }

    /// <inheritdoc/>
    public override string ToString() => Identity;
}
