using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>A service beside the server that goes by the configuration too.</summary>
internal interface IConfigFollower
{
    /// <summary>What it does, for people.</summary>
    string Subject { get; }

    /// <summary>The server goes by another configuration from now on. What of it is not this service's, or has not changed, is left alone.</summary>
    /// <param name="before">What this service goes by; null where it could not follow the last time: it begins anew then, whatever it has come to.</param>
    /// <param name="after">What it is to go by.</param>
    /// <exception cref="Exception">It could not; it is asked again with the next reload, whatever that changes.</exception>
    Task FollowAsync(ProxyConfig? before, ProxyConfig after);
}
