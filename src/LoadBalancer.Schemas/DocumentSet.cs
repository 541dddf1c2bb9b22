namespace LoadBalancer.Schemas;

/// <summary>Documents in memory. Not thread-safe while documents are added.</summary>
public sealed class DocumentSet : IDocumentSource
{
    private readonly Dictionary<Uri, byte[]> _contents = [];

    /// <summary>Adds one.</summary>
    public DocumentSet Add(Uri uri, byte[] content)
    {
        _contents[uri] = content;
        return this;
    }

    /// <inheritdoc/>
    public bool TryRead(Uri uri, out byte[] content, out string error)
    {
        error = "is not among the given documents";
        return _contents.TryGetValue(uri, out content!);
    }
}
