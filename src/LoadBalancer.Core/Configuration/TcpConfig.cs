namespace LoadBalancer.Core.Configuration;

/// <summary>What a listener does that forwards TCP connections as they are, whatever they carry.</summary>
public sealed record TcpConfig
{
    /// <summary>Cluster that gets the connections; with <see cref="Sni"/>, those that match none of its names. Null (default) only with <see cref="Sni"/>: they are closed.</summary>
    public string? Cluster { get; init; }

    /// <summary>
    /// TLS passed through: clusters by the name that a client asks for in its ClientHello (SNI, RFC 6066 §3), "a.example.com" or "*.example.com". Nothing is decrypted.
    /// Empty (default): whatever the client says, or does not say, goes to <see cref="Cluster"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Sni { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>From the accept to the end of the ClientHello, with <see cref="Sni"/>; then the connection is closed. Default 5 s.</summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest silence, both ways, of a connection. Default 10 min (nginx).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The same once one side has ended, where less. Default 1 min (HAProxy recommends 30 s for client-fin).</summary>
    public TimeSpan HalfCloseTimeout { get; init; } = TimeSpan.FromMinutes(1);
}
