namespace LoadBalancer.Core.Configuration;

/// <summary>One fault in a configuration.</summary>
/// <param name="Path">Where, as in <c>routes.api.cluster</c>; keys that are no plain words are quoted: <c>routes["a.b"].cluster</c>.</param>
/// <param name="Message">What is wrong, what was expected and, where it can be told, the fix. One line.</param>
public sealed record ConfigProblem(string Path, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Message}";
}

/// <summary>A configuration was refused.</summary>
public sealed class ConfigException(IReadOnlyList<ConfigProblem> problems)
    : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>All of them, in the order of the configuration.</summary>
    public IReadOnlyList<ConfigProblem> Problems { get; } = problems;
}
