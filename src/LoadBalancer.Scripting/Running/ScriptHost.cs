using LoadBalancer.Scripting.State;

namespace LoadBalancer.Scripting.Running;

/// <summary>What all engines of one policy have in common. Thread-safe.</summary>
internal sealed class ScriptHost
{
    /// <summary>The policy's name.</summary>
    internal required string Name { get; init; }

    internal required ScriptLimits Limits { get; init; }

    internal required TimeProvider Time { get; init; }

    internal required KeyValueStore Store { get; init; }

    internal required ScriptConsole Console { get; init; }

    /// <summary>Constants of the configuration: <c>context.env</c>.</summary>
    internal IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();

    /// <summary>Clusters that may be fetched from.</summary>
    internal IReadOnlySet<string> Clusters { get; init; } = new HashSet<string>();

    /// <summary>Whether each call has a realm of its own.</summary>
    internal bool IsIsolated { get; init; }
}
