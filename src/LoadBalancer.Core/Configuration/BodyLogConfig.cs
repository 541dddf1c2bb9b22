namespace LoadBalancer.Core.Configuration;

/// <summary>How much of a route's bodies stands in the access log. Only text is written, and secrets in it are left out by the names of their fields.</summary>
public sealed record BodyLogConfig
{
    /// <summary>Bytes of a request's body, from its beginning. 0 for none. Default 1 KiB, at most 16 KiB.</summary>
    public int RequestBytes { get; init; } = 1024;

    /// <summary>Bytes of a response's body, from its beginning. 0 for none. Default 1 KiB, at most 16 KiB.</summary>
    public int ResponseBytes { get; init; } = 1024;

    /// <summary>Fields of JSON objects and forms whose values are not written, beside those that never are.</summary>
    public IReadOnlyList<string> Redact { get; init => field = ConfigList<string>.Of(value); } = [];
}
