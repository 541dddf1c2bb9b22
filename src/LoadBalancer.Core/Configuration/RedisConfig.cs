namespace LoadBalancer.Core.Configuration;

/// <summary>The Redis by which several balancers share the limits that are <see cref="LimitConfig.Shared"/>. No request waits for it.</summary>
public sealed record RedisConfig
{
    /// <summary>"host" or "host:port" (6379), several for a cluster or for replicas of one primary.</summary>
    public required IReadOnlyList<string> Endpoints { get; init => field = ConfigList<string>.Of(value); }

    /// <summary>What all balancers know and nobody else, 16 characters or more: keys stand in Redis hashed under it.</summary>
    public required string Secret { get; init; }

    /// <summary>User of Redis' access lists. Null (default): "default".</summary>
    public string? User { get; init; }

    /// <summary>Null (default): none is asked for.</summary>
    public string? Password { get; init; }

    /// <summary>Number of the database. Default 0, the only one of a cluster.</summary>
    public int Database { get; init; }

    /// <summary>Whether to speak TLS. Default false.</summary>
    public bool Tls { get; init; }

    /// <summary>Name that the certificate must have. Null (default): the endpoint's.</summary>
    public string? TlsName { get; init; }

    /// <summary>PEM file of the authority that the certificate must come from. Null (default): the system's.</summary>
    public string? Ca { get; init; }

    /// <summary>What the names of the keys in Redis begin with. Default "lb:limit:".</summary>
    public string KeyPrefix { get; init; } = "lb:limit:";

    /// <summary>How often balancers tell each other what they have let through. Default 100 ms.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an answer may take before Redis counts as away, and each limits alone. Default 500 ms.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(500);
}
