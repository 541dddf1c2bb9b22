using System.Runtime.CompilerServices;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Messages;

/// <summary>
/// Finds what belongs to a request by method, path and query. Texts come before variables, variables before "**", segment by segment; a method before none; more parameters before
/// fewer. Paths are in normal form and stay percent-encoded, so that an encoded slash never separates. Immutable.
/// </summary>
internal sealed class TemplateTable<T> where T : class
{
    private readonly Node _root;

    internal TemplateTable(IEnumerable<(PathTemplate Template, T Value)> entries)
    {
        var root = new Draft();
        foreach ((PathTemplate template, T value) in entries)
        {
            Draft at = root;
            foreach (TemplatePart segment in template.Segments)
            {
                if (segment.IsVariable) at = at.Variable ??= new Draft();
                else
                {
                    if (!at.Texts.TryGetValue(segment.Text, out Draft? next)) at.Texts[segment.Text] = next = new Draft();
                    at = next;
                }
            }
            (template.HasTail ? at.Tails : at.Ends).Add(new Entry(template, value));
        }
        _root = root.Build();
    }

    // Hot path: per request. 0 allocations.
    internal T? Find(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, ref TemplateValues values)
    {
        values.Count = 0;
        return path.Length > 0 && path[0] == '/' ? Find(_root, method, path, 1, query, ref values) : null;
    }

    private static T? Find(Node node, ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, int at, ReadOnlySpan<byte> query, ref TemplateValues values)
    {
        if (at > path.Length) return Match(node.Ends, method, query, ref values) ?? Tail(node, method, path, at, query, ref values);
        int length = path[at..].IndexOf((byte)'/');
        if (length < 0) length = path.Length - at;
        if (node.Texts.Find(path.Slice(at, length)) is { } text && Find(text, method, path, at + length + 1, query, ref values) is { } found) return found;
        if (node.Variable is { } variable && length > 0)
        {
            int count = values.Count;
            values.Add(at, length, isInQuery: false);
            if (Find(variable, method, path, at + length + 1, query, ref values) is { } byVariable) return byVariable;
            values.Count = count;
        }
        return Tail(node, method, path, at, query, ref values);
    }

    private static T? Tail(Node node, ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, int at, ReadOnlySpan<byte> query, ref TemplateValues values)
    {
        if (node.Tails.Length == 0) return null;
        // With its slash, so that "/a" and "/a/" stay apart.
        (values.TailStart, values.TailLength) = (at - 1, path.Length - at + 1);
        return Match(node.Tails, method, query, ref values);
    }

    private static T? Match(Entry[] entries, ReadOnlySpan<byte> method, ReadOnlySpan<byte> query, ref TemplateValues values)
    {
        foreach (Entry entry in entries)
        {
            if (entry.Method.Length > 0 && method.Length > 0 && !method.SequenceEqual(entry.Method)) continue;
            int count = values.Count;
            if (TakeQuery(entry.Template, query, ref values)) return entry.Value;
            values.Count = count;
        }
        return null;
    }

    private static bool TakeQuery(PathTemplate template, ReadOnlySpan<byte> query, ref TemplateValues values)
    {
        foreach ((string name, TemplatePart value) in template.Query)
        {
            int start = -1, length = 0, at = 0;
            foreach (Range range in query.Split((byte)'&'))
            {
                ReadOnlySpan<byte> parameter = query[range];
                at = range.Start.GetOffset(query.Length);
                int equals = parameter.IndexOf((byte)'=');
                if (equals < 0 || !IsName(parameter[..equals], name)) continue;
                if (start >= 0) return false; // twice: nobody knows which of them is meant
                (start, length) = (at + equals + 1, parameter.Length - equals - 1);
            }
            if (start < 0 || length == 0) return false;
            if (value.IsVariable) values.Add(start, length, isInQuery: true);
            else if (!PercentText.IsName(query.Slice(start, length), value.Bytes)) return false;
        }
        return true;
    }

    private static bool IsName(ReadOnlySpan<byte> encoded, string name)
    {
        Span<byte> bytes = stackalloc byte[256];
        return name.Length <= bytes.Length && PercentText.IsName(encoded, bytes[..System.Text.Encoding.ASCII.GetBytes(name, bytes)]);
    }

    private sealed class Draft
    {
        internal Dictionary<string, Draft> Texts { get; } = new(StringComparer.Ordinal);

        internal Draft? Variable { get; set; }

        internal List<Entry> Ends { get; } = [];

        internal List<Entry> Tails { get; } = [];

        internal Node Build() => new(new NameIndex<Node>(Texts.Select(t => (t.Key, t.Value.Build()))), Variable?.Build(), Sorted(Ends), Sorted(Tails));

        // Without a method asked for, as of references, GET comes first: what is referred to is got.
        private static Entry[] Sorted(List<Entry> entries) =>
            [.. entries.OrderBy(e => e.Template.Method is "GET" ? 0 : e.Template.Method is not null ? 1 : 2).ThenByDescending(e => e.Template.Query.Length)];
    }

    private sealed record Node(NameIndex<Node> Texts, Node? Variable, Entry[] Ends, Entry[] Tails);

    private sealed class Entry(PathTemplate template, T value)
    {
        internal PathTemplate Template { get; } = template;

        internal byte[] Method { get; } = System.Text.Encoding.ASCII.GetBytes(template.Method ?? "");

        internal T Value { get; } = value;
    }
}

/// <summary>Where the values of a template's variables lie, in their order.</summary>
internal struct TemplateValues
{
    private Slices _slices;

    internal int Count, TailStart, TailLength;

    internal void Add(int start, int length, bool isInQuery) => _slices[Count++] = new Slice(start, length, isInQuery);

    internal readonly (int Start, int Length, bool IsInQuery) this[int index] => (_slices[index].Start, _slices[index].Length, _slices[index].IsInQuery);

    private readonly record struct Slice(int Start, int Length, bool IsInQuery);

    // Segments beyond the variables that a template may have are never tried: no node has so many.
    [InlineArray(PathTemplate.VariablesMax + 1)]
    private struct Slices
    {
        private Slice _first;
    }
}
