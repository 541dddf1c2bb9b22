namespace LoadBalancer.Schemas.Requests;

/// <summary>Which part of a message a problem is in.</summary>
public enum RequestPlace
{
    /// <summary>The body.</summary>
    Body,
    /// <summary>A parameter of the query.</summary>
    Query,
    /// <summary>A part of the path.</summary>
    Path,
    /// <summary>A header field.</summary>
    Header,
    /// <summary>A cookie.</summary>
    Cookie,
    /// <summary>The method.</summary>
    Method,
    /// <summary>The status of a response.</summary>
    Status,
}
