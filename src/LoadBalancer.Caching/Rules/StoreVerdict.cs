namespace LoadBalancer.Caching.Rules;

/// <summary>Whether a response may be stored, and if not, the first rule that forbids it. Names are stable: they stand in logs, in metrics and in "lb cache why".</summary>
public enum StoreVerdict : byte
{
    /// <summary>It may be stored.</summary>
    Storable,
    /// <summary>The method is not GET (RFC 9111 §3; a HEAD is answered from what a GET brought).</summary>
    Method,
    /// <summary>The request has what is no part of its key but may change its answer: a body, an upgrade, an expectation, or a method,
    /// host or path in a field (X-HTTP-Method-Override, X-Host, X-Original-URL).</summary>
    AmbiguousRequest,
    /// <summary>The request is conditional on the origin's state (If-Match, If-Unmodified-Since).</summary>
    Precondition,
    /// <summary>The request says no-store (§5.2.1.5).</summary>
    RequestNoStore,
    /// <summary>The key, with all that goes into it, is longer than is allowed.</summary>
    KeyTooLong,
    /// <summary>A status that is not final, or says nothing about the resource: 1xx, 304.</summary>
    StatusNotStorable,
    /// <summary>A part only: 206, or a Content-Range (§3.3; parts are not put together here).</summary>
    Partial,
    /// <summary>
    /// A status about what this request had beside its target (400, 406 to 408, 411 to 413, 415 to 417, 421, 425, 426, 429, 431): stored, it would be everybody's answer,
    /// and one bad request would take a resource from all.
    /// </summary>
    StatusOfRequest,
    /// <summary>must-understand, with a status whose rules are not known here (§5.2.2.3).</summary>
    StatusNotUnderstood,
    /// <summary>The response says no-store (§5.2.2.5).</summary>
    NoStore,
    /// <summary>The response says private (§5.2.2.7).</summary>
    Private,
    /// <summary>The request has Authorization, and the response does not allow sharing by public, s-maxage or must-revalidate (§3.5).</summary>
    Authorization,
    /// <summary>The response sets a cookie.</summary>
    SetCookie,
    /// <summary>Vary: *, or a Vary that cannot be read (§4.1).</summary>
    VaryAny,
    /// <summary>Vary has more names, or the request longer values of them, than are kept.</summary>
    VaryTooLarge,
    /// <summary>It has more tags than are kept: purging by one of the others would miss it.</summary>
    TooManyTags,
    /// <summary>Neither a lifetime nor a validator: it could never be used (§3, §4.2.2).</summary>
    NoLifetime,
    /// <summary>It is stale on arrival and has no validator to revalidate it with.</summary>
    AlwaysStale,
    /// <summary>The end of the body is the end of the connection, so that truncation would not be seen.</summary>
    UnknownLength,
    /// <summary>The head is larger than is kept.</summary>
    HeadTooLarge,
    /// <summary>The body is larger than is kept.</summary>
    BodyTooLarge,
    /// <summary>The body did not arrive completely (§3.3).</summary>
    BodyIncomplete,
    /// <summary>The store has no room, or was purged meanwhile.</summary>
    NotAdmitted,
}
