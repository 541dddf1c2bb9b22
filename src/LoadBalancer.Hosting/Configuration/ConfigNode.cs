using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>A JSON value that knows where it stood.</summary>
internal sealed class ConfigNode(ConfigNodeKind kind, int offset)
{
    internal ConfigNodeKind Kind { get; } = kind;

    /// <summary>Byte offset of the value.</summary>
    internal int Offset { get; } = offset;

    /// <summary>A string's content or a number as written.</summary>
    internal string Text { get; init; } = "";

    internal List<ConfigMember> Members { get; } = [];

    internal List<ConfigNode> Items { get; } = [];

    /// <summary>The node at a problem's path, or its nearest ancestor that was written.</summary>
    internal ConfigNode Nearest(string path)
    {
        ConfigNode node = this;
        foreach (ConfigPath.Step step in ConfigPath.Split(path))
        {
            ConfigNode? next = step.Index >= 0
                ? step.Index < node.Items.Count ? node.Items[step.Index] : step.Index == 0 && node.Kind != ConfigNodeKind.Array ? node : null // one alone may stand for its list
                : node.Members.Find(m => m.Key == step.Key)?.Value;
            if (next is null) return node;
            node = next;
        }
        return node;
    }

    /// <summary>What the value is, as a message says it.</summary>
    internal string Description => Kind switch
    {
        ConfigNodeKind.Object => "an object",
        ConfigNodeKind.Array => "a list",
        ConfigNodeKind.String => $"the string {CharacterText.Quote(Text)}",
        ConfigNodeKind.Number => $"the number {Text}",
        ConfigNodeKind.True => "true",
        ConfigNodeKind.False => "false",
        _ => "null",
    };
}

/// <summary>One member of an object.</summary>
internal sealed record ConfigMember(string Key, int KeyOffset, ConfigNode Value);

/// <summary>The kinds of JSON values.</summary>
internal enum ConfigNodeKind
{
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}
