namespace LoadBalancer.Schemas.Json;

/// <summary>One value, or one property's name. Nodes stand in the order of the text, so that those of a value are one run and no node needs a parent.</summary>
internal struct JsonNode
{
    internal JsonKind Kind;
    /// <summary>Strings and names: had escapes, so the text is in the tree's own buffer. Numbers: has neither fraction nor exponent.</summary>
    internal bool Flag;
    /// <summary>Offset of the text: of strings without the quotes.</summary>
    internal int Start;
    /// <summary>Bytes of the text.</summary>
    internal int Length;
    /// <summary>Arrays and objects: how many children. Names: hash.</summary>
    internal int Count;
    /// <summary>Index after the last node that belongs to it.</summary>
    internal int End;
}
