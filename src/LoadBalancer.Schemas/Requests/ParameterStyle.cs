namespace LoadBalancer.Schemas.Requests;

/// <summary>How a value that is an array or object is written into a parameter (OpenAPI 3.1 §4.8.12.2).</summary>
internal enum ParameterStyle : byte
{
    /// <summary>Comma-separated; path and header fields.</summary>
    Simple,
    /// <summary>Query and cookies: a pair for each with explode, else comma-separated.</summary>
    Form,
    SpaceDelimited,
    PipeDelimited,
    /// <summary>name[property]=value.</summary>
    DeepObject,
    /// <summary>;name=value, in the path.</summary>
    Matrix,
    /// <summary>.value, in the path.</summary>
    Label,
}
