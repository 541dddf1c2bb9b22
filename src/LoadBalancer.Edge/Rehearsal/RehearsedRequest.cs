namespace LoadBalancer.Edge.Rehearsal;

/// <summary>A request of a rehearsal, as a client sends it.</summary>
internal sealed record RehearsedRequest
{
    internal string Method { get; init; } = "GET";

    /// <summary>With scheme and host, or the path alone; sent as it stands here.</summary>
    internal required string Url { get; init; }

    internal IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    internal byte[]? Body { get; init; }

    /// <summary>The client's address.</summary>
    internal string From { get; init; } = "127.0.0.1";

    /// <summary>The listener; null for the first.</summary>
    internal string? Listener { get; init; }
}
