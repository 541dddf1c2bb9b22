using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.AccessLog;

/// <summary>
/// What became of one request: exactly one for each request whose first byte was read. The object is reused:
/// it is valid only during <see cref="ICompletionObserver.OnCompleted"/>. Times are ticks of <see cref="TimeProvider.GetTimestamp"/>.
/// </summary>
public sealed class CompletionRecord
{
    /// <summary>Names of listener, route, cluster and destination; null where the request did not get so far.</summary>
    public string? Listener { get; internal set; }

    /// <inheritdoc cref="Listener"/>
    public string? Route { get; internal set; }

    /// <inheritdoc cref="Listener"/>
    public string? Cluster { get; internal set; }

    /// <inheritdoc cref="Listener"/>
    public string? Destination { get; internal set; }

    /// <summary>The client.</summary>
    public PeerAddress Client { get; internal set; }

    /// <summary>Method as sent; empty when the request line could not be read.</summary>
    public ReadOnlyMemory<byte> Method { get; internal set; }

    /// <summary>Request target as sent (untrusted bytes); empty when it could not be read.</summary>
    public ReadOnlyMemory<byte> Target { get; internal set; }

    /// <summary>Status sent to the client; 0 when none was.</summary>
    public int Status { get; internal set; }

    /// <summary>Why the request ended.</summary>
    public EndReason Reason { get; internal set; }

    /// <summary>The parser's finer reason where the request or response was malformed.</summary>
    public Http.RejectionReason Rejection { get; internal set; }

    /// <summary>Body bytes from and to the client, without framing.</summary>
    public long RequestBodyBytes { get; internal set; }

    /// <inheritdoc cref="RequestBodyBytes"/>
    public long ResponseBodyBytes { get; internal set; }

    /// <summary>Attempts made at destinations, a hedge not counted.</summary>
    public int Attempts { get; internal set; }

    /// <summary>Whether a further attempt was safe and allowed, but the cluster's retry budget was spent.</summary>
    public bool IsRetryDenied { get; internal set; }

    /// <summary>Whether the request was sent to a second destination while the first was silent.</summary>
    public bool IsHedged { get; internal set; }

    /// <summary>Whether that second destination gave the answer; <see cref="Destination"/> is the one that did.</summary>
    public bool HasHedgeWon { get; internal set; }

    /// <summary>The other of the two destinations; null where the request was not hedged.</summary>
    public string? HedgeLoser { get; internal set; }

    /// <summary>Time spent waiting for a destination that is not at its limit; part of the other times. 0 when it did not wait.</summary>
    public long QueuedTicks { get; internal set; }

    /// <summary>Whether the last attempt used a kept connection.</summary>
    public bool ConnectionReused { get; internal set; }

    /// <summary>When the request head was complete (or given up).</summary>
    public long StartTimestamp { get; internal set; }

    /// <summary>Time to connect in the last attempt; 0 for a kept connection, -1 where it was not reached.</summary>
    public long ConnectTicks { get; internal set; }

    /// <summary>From the start to the first byte of the response; -1 where it was not reached.</summary>
    public long FirstByteTicks { get; internal set; }

    /// <summary>From the start to the end.</summary>
    public long TotalTicks { get; internal set; }

    internal void Reset()
    {
        Listener = Route = Cluster = Destination = HedgeLoser = null;
        Method = Target = default;
        Status = 0;
        Reason = EndReason.None;
        Rejection = Http.RejectionReason.None;
        RequestBodyBytes = ResponseBodyBytes = 0;
        Attempts = 0;
        ConnectionReused = IsRetryDenied = IsHedged = HasHedgeWon = false;
        QueuedTicks = 0;
        ConnectTicks = FirstByteTicks = -1;
        StartTimestamp = TotalTicks = 0;
    }
}

/// <summary>Receives completion records on the loops' threads: must be thread-safe, quick, and must not keep the record.</summary>
public interface ICompletionObserver
{
    /// <summary>Called once for each request.</summary>
    void OnCompleted(CompletionRecord record);
}
