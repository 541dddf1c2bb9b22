namespace LoadBalancer.Core.AccessLog;

/// <summary>The one named cause for which a request ended. Names are stable: they stand in logs, metrics and tests.</summary>
public enum EndReason : byte
{
    /// <summary>Not ended yet.</summary>
    None,
    /// <summary>A complete answer from a destination reached the client.</summary>
    Completed,
    /// <summary>Answered by a route's respond or redirect, or by OPTIONS/TRACE with Max-Forwards 0.</summary>
    Responded,
    /// <summary>An upgraded connection ended from either side in order.</summary>
    TunnelClosed,
    /// <summary>An upgraded connection was silent for too long.</summary>
    TunnelIdle,

    /// <summary>Malformed or ambiguous request: 400 (also 414, 431, 501, 505; see the rejection).</summary>
    BadRequest,
    /// <summary>The request head did not arrive in time: 408.</summary>
    RequestHeadTimeout,
    /// <summary>The request body stalled or was too slow: 408.</summary>
    RequestBodyTimeout,
    /// <summary>The request body is too large: 413.</summary>
    RequestBodyTooLarge,
    /// <summary>Broken framing in the request body: 400.</summary>
    BadRequestBody,
    /// <summary>CONNECT: 405.</summary>
    MethodRefused,
    /// <summary>The client went away before the answer was complete.</summary>
    ClientAborted,
    /// <summary>The client did not take the answer in time.</summary>
    ClientWriteTimeout,

    /// <summary>A malformed PROXY header, or one whose checksum is wrong.</summary>
    BadProxyHeader,
    /// <summary>A connection that had to begin with a PROXY header began otherwise.</summary>
    ProxyHeaderMissing,
    /// <summary>The PROXY header did not arrive in time.</summary>
    ProxyHeaderTimeout,
    /// <summary>The listener wants a PROXY header, and the peer is none of those whose header is believed.</summary>
    ProxyHeaderUntrusted,

    /// <summary>The client's hand-shake is malformed, or it and we have no protocol or cipher in common.</summary>
    HandshakeFailed,
    /// <summary>The client showed no certificate where one is required, or one that is not valid here.</summary>
    ClientCertificateRefused,
    /// <summary>The hand-shake did not end in time.</summary>
    HandshakeTimeout,
    /// <summary>Too many hand-shakes at once.</summary>
    HandshakeRefused,
    /// <summary>Plain HTTP on a port that speaks TLS: 400.</summary>
    PlainHttp,

    /// <summary>No route matches: 404.</summary>
    NoRoute,
    /// <summary>No destination may be used: 503.</summary>
    NoDestination,
    /// <summary>The destination's connection limit, or every destination's limit of requests, is reached: 503.</summary>
    UpstreamOverloaded,
    /// <summary>Every destination is at its limit, and so many requests wait already as may: 503.</summary>
    QueueFull,
    /// <summary>Waited too long for a destination that is not at its limit: 503.</summary>
    QueueTimeout,
    /// <summary>No connection could be made: 502.</summary>
    UpstreamConnectFailed,
    /// <summary>Connecting took too long: 504.</summary>
    UpstreamConnectTimeout,
    /// <summary>The name of the destination could not be resolved: 502.</summary>
    UpstreamUnresolved,
    /// <summary>The destination closed or reset before a response head: 502.</summary>
    UpstreamClosed,
    /// <summary>The response head did not arrive in time: 504.</summary>
    UpstreamHeadTimeout,
    /// <summary>Malformed or ambiguous response head: 502.</summary>
    BadResponse,
    /// <summary>The response body ended early: the client's connection is cut.</summary>
    UpstreamTruncated,
    /// <summary>Broken framing in the response body: the client's connection is cut.</summary>
    BadResponseBody,
    /// <summary>The destination stalled in the middle of an exchange: 504, or the client's connection is cut.</summary>
    UpstreamIdleTimeout,
    /// <summary>The route's deadline passed: 504, or the client's connection is cut.</summary>
    DeadlineExceeded,

    /// <summary>Cut when the drain limit passed at shutdown.</summary>
    Shutdown,
    /// <summary>No descriptors or memory on our side: 503.</summary>
    ResourceExhausted,
    /// <summary>A bug on our side: the client's connection is cut.</summary>
    InternalError,
}
