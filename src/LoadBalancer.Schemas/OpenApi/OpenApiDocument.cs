using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>
/// An OpenAPI description, 3.0 or 3.1, as far as it says what requests and responses look like. Immutable; any thread. What it does not look at: security schemes,
/// callbacks, links, webhooks; bodies that are neither JSON nor forms nor text.
/// </summary>
public sealed class OpenApiDocument : RequestContract
{
    private readonly PathNode _paths;

    internal OpenApiDocument(PathNode paths, IReadOnlyList<OpenApiOperation> operations, OpenApiOptions options) : base(options)
    {
        _paths = paths;
        Operations = operations;
    }

    /// <summary>All of them, in the order of the document.</summary>
    public IReadOnlyList<OpenApiOperation> Operations { get; }

    /// <summary>Reads a document, with those that it refers to.</summary>
    /// <param name="source">Where all of them come from.</param>
    /// <param name="uri">Which one.</param>
    /// <param name="options">Bounds and choices.</param>
    /// <param name="document">The document.</param>
    /// <param name="problems">What is wrong, as far as it can be told; empty when nothing is.</param>
    public static bool TryLoad(IDocumentSource source, Uri uri, OpenApiOptions options, [NotNullWhen(true)] out OpenApiDocument? document, out IReadOnlyList<SchemaProblem> problems)
    {
        var loader = new OpenApiLoader(source, options);
        document = loader.Load(uri);
        problems = loader.Problems;
        return document is not null;
    }

    // Hot path: per request. 0 allocations.
    /// <inheritdoc/>
    public override OpenApiMatch Match(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path)
    {
        PathValues values = default;
        if (path.IsEmpty || path[0] != '/') return new OpenApiMatch(null, null, values);
        PathItem? item = _paths.Find(path, 1, ref values);
        return new OpenApiMatch(item, item?.Find(method), values);
    }
}
