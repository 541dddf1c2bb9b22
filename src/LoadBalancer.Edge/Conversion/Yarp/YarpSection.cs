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

    /// <summary>The value of a key, as text; null where it is not there, or null. What is no text is a finding, as with the others here that expect something.</summary>
    internal string? Text(string key)
    {
        if (Member(key)?.Value is not { } value) return null;
        if (value.Kind is ConfigNodeKind.Object or ConfigNodeKind.Array) Differs(key, "is no text; left out");
        return Plain(value);
    }

    /// <summary>A list of texts, or none.</summary>
    internal string[] Texts(string key)
    {
        if (Member(key)?.Value is not { Kind: ConfigNodeKind.Array or ConfigNodeKind.Object } list) return Text(key) is { Length: > 0 } one ? [one] : [];
        ConfigNode[] items = [.. Items(list)];
        string[] texts = [.. items.Select(Plain).OfType<string>()];
        if (texts.Length < items.Length) Differs(key, "not all of it is text; the rest is left out");
        return texts;
    }

    internal bool? Flag(string key)
    {
        if (Text(key) is not { } text) return null;
        if (bool.TryParse(text, out bool value)) return value;
        Differs(key, "is neither true nor false; left out");
        return null;
    }

    /// <summary>A TimeSpan as .NET writes it, "00:00:30", as lb does.</summary>
    internal object? Duration(string key)
    {
        if (Text(key) is not { } text) return null;
        object? duration = YarpConverter.Duration(text);
        if (duration is null) Differs(key, "is no duration that lb has; left out");
        return duration;
    }

    /// <summary>The object of a key; an empty one where it is not there.</summary>
    internal YarpSection Section(string key)
    {
        ConfigNode? there = Member(key)?.Value;
        if (there is not null && there.Kind is not (ConfigNodeKind.Object or ConfigNodeKind.Null)) Differs(key, "is no object; left out");
        return Opened(there is { Kind: ConfigNodeKind.Object } ? there : new ConfigNode(ConfigNodeKind.Object, node.Offset), Inner(key));
    }

    /// <summary>All objects in it with their keys.</summary>
    internal IEnumerable<(string Key, YarpSection Section)> Sections()
    {
        foreach (ConfigMember member in node.Members)
        {
            if (member.Value.Kind != ConfigNodeKind.Object) continue;
            _used.Add(member.Key);
            yield return (member.Key, Opened(member.Value, Inner(member.Key)));
        }
    }

    /// <summary>The objects of a list.</summary>
    internal IEnumerable<YarpSection> List(string key)
    {
        if (Member(key)?.Value is not { } list) yield break;
        if (list.Kind is not (ConfigNodeKind.Array or ConfigNodeKind.Object or ConfigNodeKind.Null)) Differs(key, "is no list; left out");
        foreach ((int i, ConfigNode item) in Items(list).Index())
            if (item.Kind == ConfigNodeKind.Object) yield return Opened(item, $"{Inner(key)}:{i}");
            else findings.Add(item.Offset, $"{Inner(key)}:{i}: is no object; left out");
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
    internal void Differs(string key, string text) => findings.Add(Member(key)?.KeyOffset ?? node.Offset, $"{Inner(key)}: {text}");

    /// <summary>Tells of all that nobody has asked for.</summary>
    internal void Left()
    {
        foreach (ConfigMember member in node.Members)
            if (!_used.Contains(member.Key)) findings.Add(member.KeyOffset, $"{Inner(member.Key)}: left out");
        foreach (YarpSection section in _sections) section.Left();
    }

    // { "0": … } is a list too.
    private static IEnumerable<ConfigNode> Items(ConfigNode list) => list.Kind == ConfigNodeKind.Array ? list.Items : list.Members.Select(member => member.Value);

    private YarpSection Opened(ConfigNode value, string where)
    {
        // The same one each time: what is asked for at one time is not left out at another.
        YarpSection? section = _sections.Find(opened => opened.Node == value);
        if (section is null) _sections.Add(section = new YarpSection(value, where, findings));
        return section;
    }

    private ConfigNode Node => node;

    private string Inner(string key) => path.Length == 0 ? key : $"{path}:{key}";

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
