using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>
/// An object of an appsettings.json. Keys are found without regard to case, as .NET's configuration does. What nobody has asked for at the end is a finding: so nothing is left out in silence.
/// </summary>
internal sealed class YarpSection(ConfigNode node, string path, YarpFindings findings)
{
    private readonly HashSet<string> _used = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<YarpSection> _sections = [];

    internal string Path => path;

    internal string Place => findings.Place(node.Offset);

    /// <summary>The value of a key, as text; null where it is not there, or null.</summary>
    internal string? Text(string key) => Member(key)?.Value is { } value ? Plain(value) : null;

    /// <summary>A list of texts, or none.</summary>
    internal string[] Texts(string key) => Member(key)?.Value is { Kind: ConfigNodeKind.Array } list ? [.. list.Items.Select(Plain).OfType<string>()] : Text(key) is { Length: > 0 } one ? [one] : [];

    internal bool? Flag(string key) => Text(key) is { } text && bool.TryParse(text, out bool value) ? value : null;

    /// <summary>The object of a key; an empty one where it is not there.</summary>
    internal YarpSection Section(string key)
    {
        ConfigNode value = Member(key)?.Value is { Kind: ConfigNodeKind.Object } there ? there : new ConfigNode(ConfigNodeKind.Object, node.Offset);
        return Opened(value, $"{path}:{key}");
    }

    /// <summary>All objects in it with their keys.</summary>
    internal IEnumerable<(string Key, YarpSection Section)> Sections()
    {
        foreach (ConfigMember member in node.Members)
        {
            if (member.Value.Kind != ConfigNodeKind.Object) continue;
            _used.Add(member.Key);
            yield return (member.Key, Opened(member.Value, $"{path}:{member.Key}"));
        }
    }

    /// <summary>The objects of a list.</summary>
    internal IEnumerable<YarpSection> List(string key)
    {
        if (Member(key)?.Value is not { } list) yield break;
        IEnumerable<ConfigNode> items = list.Kind == ConfigNodeKind.Array ? list.Items : list.Members.Select(member => member.Value); // { "0": … } is a list too
        foreach ((int i, ConfigNode item) in items.Index())
            if (item.Kind == ConfigNodeKind.Object) yield return Opened(item, $"{path}:{key}:{i}");
    }

    /// <summary>Whether the key is there. Does not count as asked for.</summary>
    internal bool Has(string key) => node.Members.Exists(member => member.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    /// <summary>All keys and values of an object of texts.</summary>
    internal IEnumerable<(string Key, string Value)> Pairs()
    {
        foreach (ConfigMember member in node.Members)
            if (Plain(member.Value) is { } text) yield return (member.Key, text);
    }

    /// <summary>Counts everything in it as asked for.</summary>
    internal void UseAll()
    {
        foreach (ConfigMember member in node.Members) _used.Add(member.Key);
    }

    /// <summary>Something about this object.</summary>
    internal void Differs(string text) => findings.Add(node.Offset, $"{path}: {text}");

    /// <summary>Something about one of its keys.</summary>
    internal void Differs(string key, string text) => findings.Add(Member(key)?.KeyOffset ?? node.Offset, $"{path}:{key}: {text}");

    /// <summary>Tells of all that nobody has asked for.</summary>
    internal void Left()
    {
        foreach (ConfigMember member in node.Members)
            if (!_used.Contains(member.Key)) findings.Add(member.KeyOffset, $"{path}:{member.Key}: left out");
        foreach (YarpSection section in _sections) section.Left();
    }

    private YarpSection Opened(ConfigNode value, string where)
    {
        var section = new YarpSection(value, where, findings);
        _sections.Add(section);
        return section;
    }

    private ConfigMember? Member(string key)
    {
        _used.Add(key);
        return node.Members.Find(member => member.Key.Equals(key, StringComparison.OrdinalIgnoreCase));
    }

    private static string? Plain(ConfigNode value) => value.Kind switch
    {
        ConfigNodeKind.String or ConfigNodeKind.Number => value.Text,
        ConfigNodeKind.True => "true",
        ConfigNodeKind.False => "false",
        _ => null,
    };
}

/// <summary>What is found in a file, by offsets in its text.</summary>
internal sealed class YarpFindings(ConfigText text)
{
    private readonly List<ConversionFinding> _all = [];

    internal IReadOnlyList<ConversionFinding> All => [.. _all.OrderBy(finding => finding.Line)];

    internal void Add(int offset, string message)
    {
        var finding = new ConversionFinding(text.FileName, text.At(offset, "", "").Line, message);
        if (!_all.Contains(finding)) _all.Add(finding);
    }

    internal string Place(int offset) => $"{System.IO.Path.GetFileName(text.FileName)}:{text.At(offset, "", "").Line}";
}
