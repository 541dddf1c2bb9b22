namespace LoadBalancer.Core.AccessLog;

/// <summary>The one named cause for which a request, or a TCP connection, ended. A status is what an HTTP client gets; a TCP client is reset. Names are stable: they stand in logs, metrics and tests.</summary>
public enum EndReason : byte
{
    /// <summary>Not ended yet.</summary>
    None,
    /// <summary>A complete answer from a destination reached the client.</summary>
    Completed,
    /// <summary>A complete answer from the cache reached the client.</summary>
    Cached,
    /// <summary>Answered by a route's respond or redirect, by a policy that does not refuse it, or by OPTIONS/TRACE with Max-Forwards 0.</summary>
    Responded,
    /// <summary>An upgraded or a TCP connection ended from both sides in order.</summary>
    TunnelClosed,
    /// <summary>An upgraded or a TCP connection was silent for too long.</summary>
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
    /// <summary>The listener has no certificate yet: the first one is still to be had by ACME.</summary>
    CertificateMissing,
    /// <summary>A certification authority's own connection, which proves that a name is ours (TLS-ALPN-01); it ends with its hand-shake.</summary>
    ChallengeAnswered,

    /// <summary>The request wants an answer from the cache or none, and the cache has none: 504 (RFC 9111 §5.2.1.7).</summary>
    NotCached,
    /// <summary>What the cache has on disk turned out to be damaged in the middle of the answer: the client's connection is cut.</summary>
    StoredBodyBroken,

    /// <summary>The client's address is in a list that the listener blocks: reset at accept; 403 for a request.</summary>
    SourceBlocked,
    /// <summary>The client's address is in none of the lists that the listener allows: reset at accept; 403 for a request.</summary>
    SourceNotAllowed,
    /// <summary>The client's address is banned for a time: reset at accept; 403 and the end of the connection for a request on one that was open before.</summary>
    SourceBanned,
    /// <summary>The client's address has as many connections as it may have: reset at accept.</summary>
    SourceConnectionsExceeded,
    /// <summary>The client's address makes new connections faster than it may: reset at accept.</summary>
    SourceConnectionRateExceeded,
    /// <summary>A rule of the configuration refuses such requests: the rule's status, 403 by default.</summary>
    RequestBlocked,
    /// <summary>The client took the answer too slowly: reset.</summary>
    ClientTooSlow,
    /// <summary>A limit's rate is used up: 429, or the limit's own status.</summary>
    RateLimited,
    /// <summary>So many requests of the same key as a limit allows are under way: 429, or the limit's own status.</summary>
    ConcurrencyLimited,
    /// <summary>The cluster has more under way than it can take, and the route's priority is not high enough: 503.</summary>
    LoadShed,

    /// <summary>Nobody has proved who the request is from: 401.</summary>
    Unauthenticated,
    /// <summary>Who the request is from is not allowed to do that: 403.</summary>
    Forbidden,
    /// <summary>The request is not what the interface says: 400, or 404, 405, 413, 415 as it may be.</summary>
    RequestInvalid,
    /// <summary>A policy has refused the request for a reason of its own: its own status.</summary>
    PolicyRefused,
    /// <summary>A policy has failed, or made of a message what cannot be sent: 500.</summary>
    PolicyFailed,
    /// <summary>What a policy needs to decide cannot be had: 503.</summary>
    PolicyUnavailable,
    /// <summary>A policy did not decide in time: 504.</summary>
    PolicyTimeout,

    /// <summary>No route matches: 404; or, with TLS passed through, no cluster is for the name asked for.</summary>
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
    /// <summary>The TLS hand-shake with the destination failed: 502.</summary>
    UpstreamTlsFailed,
    /// <summary>The destination did not prove by certificate who it is: 502.</summary>
    UpstreamCertificateInvalid,
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
