namespace LoadBalancer.Schemas;

/// <summary>One fault in a schema or an OpenAPI document.</summary>
/// <param name="Location">Document and where in it: a JSON pointer after "#", or a line.</param>
/// <param name="Message">What is wrong and, where it can be told, the fix. One line.</param>
public sealed record SchemaProblem(string Location, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Location}: {Message}";
}
