namespace LoadBalancer.Schemas.Json;

/// <summary>A tree together with the text that it was read from.</summary>
internal readonly ref struct JsonView(ReadOnlySpan<byte> text, ReadOnlySpan<byte> unescaped, ReadOnlySpan<JsonNode> nodes)
{
    internal readonly ReadOnlySpan<byte> Text = text;
    internal readonly ReadOnlySpan<byte> Unescaped = unescaped;
    internal readonly ReadOnlySpan<JsonNode> Nodes = nodes;

    /// <summary>What a string or name says, without escapes; a number as it is written.</summary>
    internal ReadOnlySpan<byte> TextOf(in JsonNode node) =>
        node.Flag && node.Kind != JsonKind.Number ? Unescaped.Slice(node.Start, node.Length) : Text.Slice(node.Start, node.Length);

    internal ReadOnlySpan<byte> TextOf(int node) => TextOf(Nodes[node]);

    /// <summary>The value of an object's property; -1 where there is none. Looks at each: for large objects that are asked often it is the wrong way.</summary>
    internal int Find(int parent, ReadOnlySpan<byte> name, int hash)
    {
        int end = Nodes[parent].End;
        for (int i = parent + 1; i < end; i = Nodes[i + 1].End)
        {
            if (Nodes[i].Count == hash && TextOf(i).SequenceEqual(name)) return i + 1;
        }
        return -1;
    }

    /// <summary>Where a node is (RFC 6901); of a name the property that it names. For messages: it walks from the root.</summary>
    internal string PointerOf(int node)
    {
        var pointer = new System.Text.StringBuilder();
        int at = 0;
        while (at != node)
        {
            JsonNode parent = Nodes[at];
            int index = 0;
            int child = at + 1;
            if (parent.Kind == JsonKind.Object)
            {
                while (Nodes[child + 1].End <= node) child = Nodes[child + 1].End;
                JsonPointer.Append(pointer, System.Text.Encoding.UTF8.GetString(TextOf(child)));
                if (child == node) break;
                at = child + 1;
                continue;
            }
            for (; Nodes[child].End <= node; index++) child = Nodes[child].End;
            pointer.Append('/').Append(index);
            at = child;
        }
        return pointer.ToString();
    }
}
