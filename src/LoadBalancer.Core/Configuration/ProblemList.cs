namespace LoadBalancer.Core.Configuration;

/// <summary>Collects problems during one validation.</summary>
internal sealed class ProblemList
{
    private readonly List<ConfigProblem> _problems = [];

    internal IReadOnlyList<ConfigProblem> Problems => _problems;

    internal void Add(string path, string message) => _problems.Add(new ConfigProblem(path, message));

    internal void Range(string parent, string name, long value, NumberRange range)
    {
        if (!range.Contains(value)) Add(ConfigPath.Member(parent, name), $"{value} is out of range; expected {range.Text}");
    }

    internal void Range(string parent, string name, TimeSpan value, DurationRange range)
    {
        if (!range.Contains(value)) Add(ConfigPath.Member(parent, name), $"{DurationText.Format(value)} is out of range; expected {range.Text}");
    }

    /// <summary>Names stand in logs and metrics: not empty, not long, no control characters.</summary>
    internal void Name(string path, string name, string kind)
    {
        const int LengthMax = 128;
        if (name.Length == 0) Add(path, $"the name of a {kind} is empty");
        else if (name.Length > LengthMax) Add(path, $"the name of a {kind} has {name.Length} characters; expected at most {LengthMax}");
        else if (name.Any(char.IsControl)) Add(path, $"the name of a {kind} has a control character");
    }
}
