namespace LoadBalancer.Translation.Maps;

/// <summary>One fault in a version map.</summary>
/// <param name="Path">Where in the map, as in <c>routes[0].response.fields[2].v1</c>; empty for the map as a whole.</param>
/// <param name="Message">What is wrong, what was expected and, where it can be told, the fix. One line.</param>
public sealed record MapProblem(string Path, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Path.Length == 0 ? Message : $"{Path}: {Message}";
}

/// <summary>A version map was refused.</summary>
public sealed class MapException(IReadOnlyList<MapProblem> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    /// <summary>All of them, in the order of the map.</summary>
    public IReadOnlyList<MapProblem> Problems { get; } = problems;
}
