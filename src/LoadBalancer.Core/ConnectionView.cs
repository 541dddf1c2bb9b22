namespace LoadBalancer.Core;

/// <summary>A client's connection as it was at one moment.</summary>
/// <param name="Listener">Name of the listener.</param>
/// <param name="Loop">Number of the loop that serves it.</param>
/// <param name="Client">The client, by its PROXY header where there is one.</param>
/// <param name="Since">When it came to its present stage: with TLS, when its hand-shake was over. UTC.</param>
/// <param name="State">What it does.</param>
public sealed record ConnectionView(string Listener, int Loop, string Client, DateTimeOffset Since, ConnectionState State)
{
    /// <summary>Whether its bytes travel encrypted.</summary>
    public bool Encrypted { get; init; }

    /// <summary>Requests that have begun on it; 0 for TCP.</summary>
    public long Requests { get; init; }

    /// <summary>Of the request under way; null where there is none, or it cannot be told.</summary>
    public string? Method { get; init; }

    /// <summary>Its target, cut to 256 characters: whatever the client has sent, without its query, which may hold secrets.</summary>
    public string? Target { get; init; }

    /// <summary>Name of its route.</summary>
    public string? Route { get; init; }

    /// <summary>Name of the cluster that answers it, or that the TCP connection goes to.</summary>
    public string? Cluster { get; init; }

    /// <summary>Name of the destination of the last attempt.</summary>
    public string? Destination { get; init; }

    /// <summary>Body bytes of the request under way, or bytes of the TCP connection; null where they are not known yet.</summary>
    public long? BytesReceived { get; init; }

    /// <inheritdoc cref="BytesReceived"/>
    public long? BytesSent { get; init; }
}

/// <summary>What a client's connection does.</summary>
public enum ConnectionState
{
    /// <summary>Its PROXY header or its TLS hand-shake is under way.</summary>
    Opening,
    /// <summary>It waits for a request.</summary>
    Idle,
    /// <summary>The head of a request is being read.</summary>
    ReadingHead,
    /// <summary>A policy looks at the request.</summary>
    Policy,
    /// <summary>It waits for a destination that is not at its limit.</summary>
    Queued,
    /// <summary>A connection to a destination is being made.</summary>
    Connecting,
    /// <summary>The destination has the request, or gets it, and is to answer.</summary>
    Waiting,
    /// <summary>The answer is on its way.</summary>
    Answering,
    /// <summary>Bytes go both ways: TCP, or an upgraded connection.</summary>
    Relaying,
    /// <summary>It is being closed.</summary>
    Closing,
}

/// <summary>Connections that were found.</summary>
/// <param name="Connections">Not more than asked for, the same share of each loop's.</param>
/// <param name="Open">How many there are in all, whatever was asked for.</param>
/// <param name="IsTruncated">Whether there are more that fit, or a loop has so many that not all were looked at.</param>
public sealed record ConnectionList(IReadOnlyList<ConnectionView> Connections, int Open, bool IsTruncated);
