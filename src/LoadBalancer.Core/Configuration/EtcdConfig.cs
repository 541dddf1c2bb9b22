namespace LoadBalancer.Core.Configuration;

/// <summary>Keys of etcd (version 3.4 or later), each of which is a destination.</summary>
public sealed record EtcdConfig
{
    /// <summary>"host" or "host:port" (2379): members of one etcd, which are asked in turn until one answers.</summary>
    public required IReadOnlyList<string> Endpoints { get; init => field = ConfigList<string>.Of(value); }

    /// <summary>What the keys begin with, as "/services/api/"; what follows is the name of the destination. Ends in no letter or digit, so that it takes no other service's keys.</summary>
    public required string Prefix { get; init; }

    /// <summary>Who asks, where etcd wants to know. Null (default): nobody in particular.</summary>
    public string? User { get; init; }

    /// <summary>Password of <see cref="User"/>. Null (default): none.</summary>
    public string? Password { get; init; }

    /// <summary>TLS to etcd. Null (default): plain HTTP.</summary>
    public UpstreamTlsConfig? Tls { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"EtcdConfig {{ Endpoints = {string.Join(',', Endpoints)}, Prefix = {Prefix}, User = {User} }}"; // a secret is never printed
}
