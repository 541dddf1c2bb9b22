namespace LoadBalancer.Hosting.Configuration;

/// <summary>What the second pass carries along: where problems go, which paths they touch, and where substitutions come from.</summary>
internal sealed class ReadContext(ConfigText text, List<ConfigDiagnostic> problems, ConfigSources sources)
{
    private readonly List<string> _touched = [];

    internal ConfigSources Sources { get; } = sources;

    internal void Add(int offset, string path, string message)
    {
        problems.Add(text.At(offset, path, message));
        Touch(path);
    }

    internal void Add(ConfigNode node, string path, string message) => Add(node.Offset, path, message);

    /// <summary>Marks a value as not what the user meant it to be, so that no problem that only follows from it is reported.</summary>
    internal void Touch(string path) => _touched.Add(path);

    /// <summary>Whether a problem at this path may only be the echo of one that was reported: the same value, or something within it or around it.</summary>
    internal bool IsTouched(string path) =>
        _touched.Exists(t => Core.Configuration.ConfigPath.IsWithin(path, t) || Core.Configuration.ConfigPath.IsWithin(t, path));

    internal bool IsExactlyTouched(string path) => _touched.Contains(path);
}
