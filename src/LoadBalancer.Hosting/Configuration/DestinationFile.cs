using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Reads a file of destinations: in the form of a cluster's "destinations", or a list, in which each is named by its address.</summary>
internal static class DestinationFile
{
    /// <summary>Most destinations in a file.</summary>
    internal const int CountMax = 10_000;

    private static readonly MapSpec<DestinationConfig> Map = new(ClusterSpecs.Destination, ClusterSpecs.Destination.Empty);
    private static readonly ObjectListSpec<DestinationConfig> List = new(ClusterSpecs.Destination);

    /// <summary>The destinations; null with all problems in their place.</summary>
    internal static IReadOnlyDictionary<string, DestinationConfig>? Parse(ReadOnlyMemory<byte> utf8, string fileName, out IReadOnlyList<ConfigDiagnostic> found)
    {
        var problems = new List<ConfigDiagnostic>();
        found = problems;
        var text = new ConfigText(utf8.Span.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8, fileName);
        if (ConfigParser.Parse(text, problems) is not { } root) return null;
        var context = new ReadContext(text, problems, new ConfigSources(Path.GetDirectoryName(Path.GetFullPath(fileName)) ?? ""));
        if (root.Kind is not (ConfigNodeKind.Object or ConfigNodeKind.Array))
        {
            context.Add(root, "", $"expected a map or a list of destinations, found {root.Description}");
            return null;
        }
        if (root.Items.Count + root.Members.Count is > CountMax and var count)
        {
            context.Add(root, "", $"has {count} destinations; expected at most {CountMax}");
            return null;
        }
        IReadOnlyDictionary<string, DestinationConfig> destinations = root.Kind == ConfigNodeKind.Array ? ReadList(root, text, context, problems) : ReadMap(root, text, context, problems);
        return problems.Count == 0 ? destinations : null;
    }

    private static IReadOnlyDictionary<string, DestinationConfig> ReadMap(ConfigNode root, ConfigText text, ReadContext context, List<ConfigDiagnostic> problems)
    {
        Map.TryRead(root, "", context, out IReadOnlyDictionary<string, DestinationConfig> destinations);
        // The validator's paths start with where the map belongs, ours at the root of the file.
        foreach (ConfigProblem problem in ClusterValidator.ValidateDestinations("", destinations))
        {
            string path = problem.Path[".destinations".Length..].TrimStart('.');
            if (!context.IsTouched(path)) problems.Add(text.At(root.Nearest(path).Offset, path, problem.Message));
        }
        return destinations;
    }

    private static Dictionary<string, DestinationConfig> ReadList(ConfigNode root, ConfigText text, ReadContext context, List<ConfigDiagnostic> problems)
    {
        var named = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal);
        if (!List.TryRead(root, "", context, out IReadOnlyList<DestinationConfig> destinations)) return named;
        for (int i = 0; i < destinations.Count; i++)
        {
            string name = destinations[i].Address, path = ConfigPath.Item("", i);
            if (!named.TryAdd(name, destinations[i]))
                context.Add(root.Items[i], path, $"{CharacterText.Quote(name)} is given twice; in a map each could have a name of its own");
            foreach (ConfigProblem problem in ClusterValidator.ValidateDestinations("", new Dictionary<string, DestinationConfig> { [name] = destinations[i] }))
            {
                string inner = path + problem.Path[ConfigPath.Member(".destinations", name).Length..];
                problems.Add(text.At(root.Nearest(inner).Offset, inner, problem.Message));
            }
        }
        return named;
    }
}
