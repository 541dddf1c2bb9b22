namespace LoadBalancer.Core.Configuration;

/// <summary>The field that carries a request's id to the destination, and back to the client.</summary>
public sealed record RequestIdConfig
{
    /// <summary>Name of the field. Default "X-Request-Id".</summary>
    public string Header { get; init; } = "X-Request-Id";

    /// <summary>Whose ids are taken over. Default <see cref="RequestIdAcceptance.Trusted"/>.</summary>
    public RequestIdAcceptance Accept { get; init; }

    /// <summary>Whether the client gets the id with the answer. Default true.</summary>
    public bool Respond { get; init; } = true;
}

/// <summary>Whose request ids are taken over; others get one of ours.</summary>
public enum RequestIdAcceptance
{
    /// <summary>Those of <see cref="ListenerConfig.TrustedProxies"/>.</summary>
    Trusted,
    /// <summary>Everybody's: a client chooses by what its requests are found.</summary>
    Always,
    /// <summary>Nobody's.</summary>
    Never,
}
