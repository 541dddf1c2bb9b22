using LoadBalancer.Core.Configuration;
namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>
/// An HTTP service that is asked, as with nginx's auth_request and Traefik's forwardAuth: 2xx allows; 3xx and 4xx are given to the client; anything else is no answer.
/// It gets X-Forwarded-Method, -Proto, -Host, -Uri and -For, which say what is forwarded and never what the client has written there.
/// </summary>
public sealed record AuthorizationServiceConfig
{
    /// <summary>Cluster of the service.</summary>
    public required string Cluster { get; init; }

    /// <summary>Path, and perhaps a query. Default "/".</summary>
    public string Path { get; init; } = "/";

    /// <summary>Method; without content. Default GET.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Fields of the request that it is sent. Default Authorization and Cookie.</summary>
    public IReadOnlyList<string> RequestHeaders { get; init => field = ConfigList<string>.Of(value); } = ConfigList<string>.Of(["Authorization", "Cookie"]);

    /// <summary>Fields of its answer that the forwarded request gets, in the place of what the client has sent under these names. Default none.</summary>
    public IReadOnlyList<string> ResponseHeaders { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Time for an answer. Default 1 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest content of an answer, in bytes; a longer one is no answer. Default 64 KiB.</summary>
    public int BodyBytesMax { get; init; } = 64 * 1024;

    /// <summary>Which decisions are kept. Null (default): none.</summary>
    public DecisionCacheConfig? Cache { get; init; }

    /// <summary>What becomes of a request for which there is no answer. Default <see cref="LookupFailure.Deny"/>.</summary>
    public LookupFailure OnError { get; init; }

    /// <summary>How long after its end a decision is used where there is no answer, with <see cref="LookupFailure.Stale"/>. Default 10 min.</summary>
    public TimeSpan StaleFor { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What becomes of a request where nobody can be asked.</summary>
public enum LookupFailure
{
    /// <summary>503.</summary>
    Deny,
    /// <summary>It is let through.</summary>
    Allow,
    /// <summary>The last decision for the same holds on for a time; where there is none, 503.</summary>
    Stale,
}
