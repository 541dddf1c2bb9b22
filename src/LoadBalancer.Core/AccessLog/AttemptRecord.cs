namespace LoadBalancer.Core.AccessLog;

/// <summary>One attempt of a request at one destination. Times are ticks of <see cref="TimeProvider.GetTimestamp"/>.</summary>
public struct AttemptRecord
{
    /// <summary>Name of the destination.</summary>
    public string Destination { get; internal set; }

    /// <summary>Why there was this attempt.</summary>
    public AttemptCause Cause { get; internal set; }

    /// <summary>How it ended; <see cref="EndReason.None"/> where nobody wanted its answer any more, as of a hedge that has lost.</summary>
    public EndReason Reason { get; internal set; }

    /// <summary>Status of the destination's final answer; 0 where there was none.</summary>
    public int Status { get; internal set; }

    /// <summary>Whether it used a kept connection.</summary>
    public bool ConnectionReused { get; internal set; }

    /// <summary>From the request's start to the pick.</summary>
    public long StartTicks { get; internal set; }

    /// <summary>Time to connect; 0 for a kept connection, -1 where it was not reached.</summary>
    public long ConnectTicks { get; internal set; }

    /// <summary>From the pick to the first byte of the answer; -1 where none came.</summary>
    public long FirstByteTicks { get; internal set; }

    /// <summary>From the pick to the end; 0 while it is under way.</summary>
    public long TotalTicks { get; internal set; }
}

/// <summary>Why an attempt was made. Names are stable: they stand in logs and tests.</summary>
public enum AttemptCause : byte
{
    /// <summary>The first, to a destination of the policy's choice.</summary>
    First,
    /// <summary>The first, to the destination that the request's cookie names.</summary>
    Session,
    /// <summary>Again, as the attempt before has failed; elsewhere, if there is another destination.</summary>
    Retry,
    /// <summary>Again on a new connection, as a kept one turned out to be closed.</summary>
    Reconnect,
    /// <summary>Beside another attempt that had been silent for long.</summary>
    Hedge,
}

/// <summary>What a route's limits have said to a request. Names are stable: they stand in logs and tests.</summary>
public enum LimitOutcome : byte
{
    /// <summary>The route has none, or they were not asked.</summary>
    None,
    /// <summary>All have let it through.</summary>
    Allowed,
    /// <summary>One would have refused it, but only says so (dryRun).</summary>
    DryRun,
    /// <summary>One has refused it.</summary>
    Refused,
}

/// <summary>What a client and a listener have agreed on by TLS. One for each connection; immutable.</summary>
/// <param name="Protocol">"TLSv1.3" or "TLSv1.2".</param>
/// <param name="Cipher">Name of the cipher suite.</param>
/// <param name="ServerName">The name that the client has asked for (SNI; untrusted); null for none.</param>
public sealed record TlsSummary(string Protocol, string Cipher, string? ServerName);
