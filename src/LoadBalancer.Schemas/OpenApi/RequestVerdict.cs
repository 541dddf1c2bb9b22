namespace LoadBalancer.Schemas.OpenApi;

/// <summary>What is said of a request.</summary>
public enum RequestVerdict
{
    /// <summary>It is as described.</summary>
    Valid,
    /// <summary>The path is not described (404).</summary>
    NoPath,
    /// <summary>The path has no such method (405).</summary>
    NoMethod,
    /// <summary>A parameter is not as described (400).</summary>
    BadParameters,
    /// <summary>There is no body, and there must be (400).</summary>
    NoBody,
    /// <summary>The media type of the body is not described (415).</summary>
    BadMediaType,
    /// <summary>The body is not as described, or no JSON (400).</summary>
    BadBody,
    /// <summary>The body has too many values, levels or bytes (413).</summary>
    BodyTooLarge,
}
