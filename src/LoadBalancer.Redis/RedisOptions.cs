using System.Text;

namespace LoadBalancer.Redis;

/// <summary>Where the Redis is by which nodes share their limits, and how they do. What is secret is not printed.</summary>
public sealed record RedisOptions
{
    /// <summary>"host" or "host:port" (6379), several for a cluster or for replicas of one primary.</summary>
    public required IReadOnlyList<string> Endpoints { get; init; }

    /// <summary>
    /// What all nodes know and nobody else: keys stand in Redis hashed under it, so that whoever reads Redis sees no client's address or token, and nobody can make
    /// two clients fall on one key. 16 characters or more, by chance.
    /// </summary>
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

    /// <summary>File of the authority (PEM) that the certificate must come from. Null (default): the system's.</summary>
    public string? TlsAuthority { get; init; }

    /// <summary>What the names of the keys in Redis begin with. Default "lb:limit:".</summary>
    public string KeyPrefix { get; init; } = "lb:limit:";

    /// <summary>
    /// How often nodes tell each other what they have let through, 10 ms to 10 s. Default 100 ms. The longer, the more is let through beyond a limit before the nodes
    /// know; the shorter, the more Redis has to do: 8 to 10 µs of CPU for each key that a node has let something through for in an interval.
    /// </summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an answer may take before nodes count Redis as away, 10 ms to 10 s. Default 500 ms. No request ever waits for it.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(500);

    internal string EndpointsText => string.Join(", ", Endpoints);

    internal void Validate()
    {
        if (Endpoints.Count == 0) throw new ArgumentException("no endpoint is given");
        if (Secret.Length < SecretLengthMin) throw new ArgumentException($"the secret is shorter than {SecretLengthMin} characters");
        ArgumentOutOfRangeException.ThrowIfNegative(Database);
        foreach (TimeSpan time in (ReadOnlySpan<TimeSpan>)[SyncInterval, Timeout])
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeMin);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeMax);
        }
    }

    /// <summary>Shortest secret.</summary>
    public const int SecretLengthMin = 16;

    /// <summary>Least <see cref="SyncInterval"/> and <see cref="Timeout"/>.</summary>
    public static readonly TimeSpan TimeMin = TimeSpan.FromMilliseconds(10);

    /// <summary>Most <see cref="SyncInterval"/> and <see cref="Timeout"/>.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Endpoints = ").Append(EndpointsText).Append(", Database = ").Append(Database).Append(", Tls = ").Append(Tls);
        return true;
    }
}
