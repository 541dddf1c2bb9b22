using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core;

/// <summary>What came of another configuration.</summary>
/// <param name="Changes">The parts that are not what they were, those of <paramref name="NeedRestart"/> included.</param>
/// <param name="NeedRestart">Those among them that hold from the next start on only; until then they are what they were.</param>
public sealed record ReloadResult(IReadOnlyList<ConfigChange> Changes, IReadOnlyList<string> NeedRestart)
{
    /// <summary>Whether anything is not what it was.</summary>
    public bool HasChanged => Changes.Count > 0;

    /// <summary>What beside the server does not go by the configuration that is in use now, and why, each on a line; empty where all of it does.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];
}
