using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>One method of one path. Immutable; any thread.</summary>
public sealed class OpenApiOperation
{
    internal OpenApiOperation(string method, string template, string? operationId)
    {
        Method = method;
        Template = template;
        OperationId = operationId;
    }

    /// <summary>In upper case.</summary>
    public string Method { get; }

    /// <summary>The path as the document has it, as in "/pets/{id}".</summary>
    public string Template { get; }

    /// <summary>What the document calls it; null when it does not.</summary>
    public string? OperationId { get; }

    /// <summary>Whether a request must have a body.</summary>
    public bool RequiresBody => Body is { IsRequired: true };

    /// <summary>Whether a body of a media type is to be read: its type is described and there is a schema that can be held against it.</summary>
    public bool ReadsBody(ReadOnlySpan<byte> contentType) => Body?.Find(contentType) is { } media && media.KindOf(contentType) != MediaKind.Opaque;

    internal Parameter[] Parameters { get; init; } = [];

    internal ContentRule? Body { get; init; }

    internal OpenApiResponse[] Responses { get; init; } = [];

    /// <summary>Query parameters whose properties are pairs of their own and may have any name.</summary>
    internal bool HasOpenQuery { get; init; }
}

/// <summary>One response of an operation.</summary>
/// <param name="StatusMin">The first status it is about; 0 for the default.</param>
/// <param name="StatusMax">The last.</param>
/// <param name="Headers">Its header fields.</param>
/// <param name="Content">Its body; null: none is described.</param>
internal sealed record OpenApiResponse(int StatusMin, int StatusMax, Parameter[] Headers, ContentRule? Content);
