using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Reads the JSON configuration file. Comments and trailing commas are allowed, unknown and duplicate keys are not.</summary>
public static class ConfigFile
{
    /// <summary>Largest file, in bytes: 16 MiB.</summary>
    public const int BytesMax = 16 * 1024 * 1024;

    /// <summary>Reads and validates a file. Never throws for what is in the file, or for a file that is missing or cannot be read.</summary>
    public static ConfigReadResult Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] utf8;
        try
        {
            using FileStream stream = File.OpenRead(path);
            // By count, not by Length: the file may be a pipe.
            using var content = new MemoryStream();
            byte[] buffer = new byte[64 * 1024];
            for (int count; content.Length <= BytesMax && (count = stream.Read(buffer)) > 0;) content.Write(buffer, 0, count);
            utf8 = content.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new ConfigReadResult(null, [new ConfigDiagnostic(path, 0, 0, "", $"the configuration file {FileProblem.Describe(e, path)}")]);
        }
        return Parse(utf8, path, new ConfigSources(Path.GetDirectoryName(Path.GetFullPath(path)) ?? ""));
    }

    /// <summary>Reads and validates a text that is in memory.</summary>
    /// <param name="utf8">The JSON text.</param>
    /// <param name="fileName">Name that stands in the problems; relative <c>@file:</c> paths start from its directory.</param>
    /// <param name="environment">Looks up <c>${NAME}</c>; null (default) for the process environment.</param>
    public static ConfigReadResult Parse(ReadOnlyMemory<byte> utf8, string fileName, Func<string, string?>? environment = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        return Parse(utf8, fileName, new ConfigSources(Path.GetDirectoryName(Path.GetFullPath(fileName)) ?? "", environment));
    }

    /// <summary>Reads and validates what a source has now. Never throws for what is in it, or for a source that is away. Relative paths start from the current directory.</summary>
    public static async Task<ConfigReadResult> LoadAsync(IConfigTextSource source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            return Parse(await source.ReadAsync(cancellationToken).ConfigureAwait(false), source.Name, new ConfigSources(Environment.CurrentDirectory));
        }
        catch (IOException e)
        {
            return ConfigReadResult.Failed(source.Name, e.Message, isRead: false);
        }
    }

    private static ConfigReadResult Parse(ReadOnlyMemory<byte> utf8, string fileName, ConfigSources sources)
    {
        if (utf8.Length > BytesMax) return Whole(fileName, $"the configuration file is larger than {BytesMax} bytes");
        if (utf8.Span.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        if (utf8.Length >= 2 && utf8.Span[..2] is [0xFF, 0xFE] or [0xFE, 0xFF]) return Whole(fileName, "the configuration file is UTF-16; save it as UTF-8");

        var text = new ConfigText(utf8, fileName);
        var problems = new List<ConfigDiagnostic>();
        if (ConfigParser.Parse(text, problems) is not { } root) return new ConfigReadResult(null, problems);

        var context = new ReadContext(text, problems, sources);
        ProxyConfig config = RootedPaths.Apply(ProxySpecs.Root.ReadRoot(root, context), sources.BaseDirectory);
        foreach (ConfigProblem problem in ConfigValidator.Validate(config))
            if (!IsEcho(problem.Path, context)) problems.Add(text.At(root.Nearest(problem.Path).Offset, problem.Path, problem.Message));

        // Stable, so that problems at one place stay in the order they were found.
        return new ConfigReadResult(config, [.. problems.OrderBy(p => p.Line).ThenBy(p => p.Column)]);
    }

    // A value that could not be read leaves a default in its place, and a collection that could not be read leaves every name in it
    // unknown: what the validator says of these would send the user after a second fault that is not there.
    private static bool IsEcho(string path, ReadContext context)
    {
        if (context.IsTouched(path)) return true;
        List<ConfigPath.Step> steps = ConfigPath.Split(path);
        return steps is [{ Key: "routes" }, _, { Key: "cluster" }] && context.IsExactlyTouched("clusters")
            || steps is [{ Key: "routes" }, _, { Key: "listeners" }, ..] && context.IsExactlyTouched("listeners");
    }

    private static ConfigReadResult Whole(string fileName, string message) => ConfigReadResult.Failed(fileName, message);
}
