using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Policies;

/// <summary>What a policy is made with.</summary>
public sealed class PolicyServices
{
    internal PolicyServices(string name, ProxyConfig config, TimeProvider time, ILogger logger, int loopCount)
    {
        Name = name;
        Config = config;
        Time = time;
        Logger = logger;
        LoopCount = loopCount;
    }

    /// <summary>The policy's name in the configuration.</summary>
    public string Name { get; }

    /// <summary>The whole configuration.</summary>
    public ProxyConfig Config { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Where it logs.</summary>
    public ILogger Logger { get; }

    /// <summary>Finds an address list of the configuration, which is there.</summary>
    internal Func<string, Protection.Addresses.AddressList> FindAddressList { get; init; } = name => throw new ArgumentException($"there is no address list \"{name}\"");

    /// <summary>Number of event loops; see <see cref="RequestContext.LoopIndex"/>.</summary>
    public int LoopCount { get; }
}
