using LoadBalancer.Core.Configuration;
namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>What is looked up in Redis: that a key is there, has a value, or is a set with a member.</summary>
public sealed record RedisPermissionConfig
{
    /// <summary>
    /// The key, as in "perm:{claim:sub}:{method}:{path}". Variables: "{claim:NAME}", "{method}", "{path}", "{host}", "{route}", "{ip}". What stands in their place is
    /// percent-encoded, so that it cannot reach into another key.
    /// </summary>
    public required string Key { get; init; }

    /// <summary>Values, one of which the key has. Empty (default): any.</summary>
    public IReadOnlyList<string> Value { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>A member that the key, a set, has; written as the key. Null (default): it is no set.</summary>
    public string? Member { get; init; }

    /// <summary>Time for an answer. Default 500 ms.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Which decisions are kept. Null (default): none.</summary>
    public DecisionCacheConfig? Cache { get; init; }

    /// <summary>What becomes of a request for which there is no answer. Default <see cref="LookupFailure.Deny"/>.</summary>
    public LookupFailure OnError { get; init; }

    /// <summary>How long after its end a decision is used where there is no answer, with <see cref="LookupFailure.Stale"/>. Default 10 min.</summary>
    public TimeSpan StaleFor { get; init; } = TimeSpan.FromMinutes(10);
}
