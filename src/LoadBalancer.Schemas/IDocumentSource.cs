namespace LoadBalancer.Schemas;

/// <summary>
/// Where the documents come from that a reference names. Only what a source gives is ever read: nothing is fetched from a network.
/// </summary>
public interface IDocumentSource
{
    /// <summary>Reads one; false with what is wrong, as an operator says it of the document.</summary>
    /// <param name="uri">Absolute, without fragment.</param>
    /// <param name="content">JSON, or YAML where the name ends so.</param>
    /// <param name="error">What is wrong.</param>
    bool TryRead(Uri uri, out byte[] content, out string error);

    /// <summary>What the document is called in problems: short, as the operator knows it.</summary>
    string NameOf(Uri uri) => uri.ToString();
}
