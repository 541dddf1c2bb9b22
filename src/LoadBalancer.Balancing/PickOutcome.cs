namespace LoadBalancer.Balancing;

/// <summary>How one attempt at a destination ended. Times are in ticks of <see cref="TimeProvider.GetTimestamp"/>; -1 where the phase was not reached.</summary>
/// <param name="Kind">The result as the balancer should weigh it.</param>
/// <param name="ConnectTicks">Time to connect; 0 when a kept connection was reused.</param>
/// <param name="FirstByteTicks">From the pick to the first byte of the answer.</param>
/// <param name="TotalTicks">From the pick to the end of the exchange.</param>
/// <param name="HoldTicks">How long the destination has asked to be left alone (Retry-After of a 503); 0 when it has not. At most 300 s of it count, and at most half of the members are left alone at once.</param>
public readonly record struct PickOutcome(PickOutcomeKind Kind, long ConnectTicks, long FirstByteTicks, long TotalTicks, long HoldTicks = 0)
{
    /// <summary>What counts as the latency where the time to the end does not: of a TCP connection, whose length is its client's choice, the time to connect. -1 (default) for the time to the end.</summary>
    public long LatencyTicks { get; init; } = -1;
}

/// <summary>The result of an attempt as seen by balancing and ejection.</summary>
public enum PickOutcomeKind : byte
{
    /// <summary>A complete answer that does not blame the destination.</summary>
    Success,
    /// <summary>A complete answer that blames the destination (5xx).</summary>
    ServerError,
    /// <summary>No connection could be made.</summary>
    ConnectFailure,
    /// <summary>The destination broke the exchange: reset, early end, malformed answer.</summary>
    ProtocolFailure,
    /// <summary>The destination did not answer in time.</summary>
    Timeout,
    /// <summary>Ended by the client or by ourselves; says nothing about the destination.</summary>
    Cancelled,
    /// <summary>
    /// A complete answer that refuses the request for its rate (429, RFC 6585 §4). Scores weigh it like a failure, so that a destination that only refuses does
    /// not look quick; it ejects nothing, since one client may draw as many as it likes.
    /// </summary>
    Refused,
}
