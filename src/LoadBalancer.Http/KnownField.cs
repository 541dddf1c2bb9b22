namespace LoadBalancer.Http;

/// <summary>Fields a proxy treats specially. All others are <see cref="Other"/> and pass as they are.</summary>
public enum KnownField : byte
{
    /// <summary>Any other field.</summary>
    Other,
#pragma warning disable CS1591 // the members are the field names themselves
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    KeepAlive,
    ProxyConnection,
    ProxyAuthenticate,
    ProxyAuthorization,
    Te,
    Trailer,
    Upgrade,
    Expect,
    Via,
    Forwarded,
    XForwardedFor,
    XForwardedProto,
    XForwardedHost,
    Date,
    MaxForwards,
    Http2Settings,
    StrictTransportSecurity,
#pragma warning restore CS1591
    /// <summary>
    /// Client-Cert (RFC 9440) and all whose names begin with "Client-Cert-", in which a proxy tells who the client has proved to be. Names with
    /// underscores too: what reads fields as CGI does cannot tell them apart.
    /// </summary>
    ClientCertificate,

    /// <summary>X-Forwarded-For, -Proto or -Host with underscores: nobody's protocol, but what reads fields as CGI does takes them for the real ones.</summary>
    XForwardedLookAlike,

    /// <summary>RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers).</summary>
    RateLimit,

    /// <summary>User-Agent, for logs.</summary>
    UserAgent,

    /// <summary>Referer, for logs.</summary>
    Referer,

    /// <summary>traceparent (W3C Trace Context §3.2).</summary>
    TraceParent,

    /// <summary>tracestate (W3C Trace Context §3.3).</summary>
    TraceState,
}
