namespace LoadBalancer.Identity.Signatures;

/// <summary>A request as its signer has seen it (RFC 9421 §2).</summary>
public interface ISignedRequest
{
    /// <summary>Method.</summary>
    string Method { get; }

    /// <summary>"https" or "http".</summary>
    string UriScheme { get; }

    /// <summary>Host, and port unless it is the scheme's own.</summary>
    string Authority { get; }

    /// <summary>Path in normal form, "/" where it is empty.</summary>
    string Path { get; }

    /// <summary>Query without its "?"; empty for none.</summary>
    string Query { get; }

    /// <summary>Whether there is content.</summary>
    bool HasBody { get; }

    /// <summary>All values of a header field as one, with ", " between them; null where there is none.</summary>
    string? Field(string name);
}
