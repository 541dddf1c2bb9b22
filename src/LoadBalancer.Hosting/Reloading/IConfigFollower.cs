using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>A service beside the server that goes by the configuration too.</summary>
internal interface IConfigFollower
{
    /// <summary>The server goes by another configuration from now on. What of it is not this service's, or has not changed, is left alone.</summary>
    Task FollowAsync(ProxyConfig before, ProxyConfig after);
}
