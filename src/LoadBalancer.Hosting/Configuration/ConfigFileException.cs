namespace LoadBalancer.Hosting.Configuration;

/// <summary>A configuration file was refused. The message has one line for each problem.</summary>
public sealed class ConfigFileException(IReadOnlyList<ConfigDiagnostic> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>All of them, in the order of the file.</summary>
    public IReadOnlyList<ConfigDiagnostic> Problems { get; } = problems;
}
