using LoadBalancer.Core.Configuration;
namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>Which decisions of a look-up are kept, and for how long.</summary>
public sealed record DecisionCacheConfig
{
    /// <summary>How long a permission is used. Default 10 s.</summary>
    public TimeSpan For { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a refusal is used; zero for not at all. Default 1 s.</summary>
    public TimeSpan DeniedFor { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What a decision depends on: "method", "scheme", "host", "path", "query", "ip", "header:NAME", "cookie:NAME", "claim:NAME". Empty (default): everything that the
    /// service is told. For Redis it is always what is asked.
    /// </summary>
    public IReadOnlyList<string> Key { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Whether Cache-Control of the service's answer goes before <see cref="For"/> and <see cref="DeniedFor"/>: max-age, up to an hour; no-store and no-cache. Default false.</summary>
    public bool UseCacheControl { get; init; }

    /// <summary>Memory for decisions, in bytes; beyond, refusals go first, then what ends soonest. Default 16 MiB.</summary>
    public long BytesMax { get; init; } = 16 << 20;
}
