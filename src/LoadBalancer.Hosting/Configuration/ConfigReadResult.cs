using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>What came of reading a configuration file: a configuration that can be run, or the problems.</summary>
public sealed class ConfigReadResult
{
    internal ConfigReadResult(ProxyConfig? config, IReadOnlyList<ConfigDiagnostic> problems)
    {
        Config = problems.Count == 0 ? config : null;
        Problems = problems;
    }

    /// <summary>One that could not even be read.</summary>
    internal static ConfigReadResult Failed(string name, string message, bool isRead = true) => new(null, [new ConfigDiagnostic(name, 0, 0, "", message)]) { IsRead = isRead };

    /// <summary>False where the text could not be had, which may be another time; true where it is what the problems are of.</summary>
    public bool IsRead { get; init; } = true;

    /// <summary>The validated configuration; null when there are problems.</summary>
    public ProxyConfig? Config { get; }

    /// <summary>All problems, in the order of the file.</summary>
    public IReadOnlyList<ConfigDiagnostic> Problems { get; }
}
