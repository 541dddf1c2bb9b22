using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>The paths of a document, segment by segment. Immutable once frozen; any thread.</summary>
internal sealed class PathNode
{
    private const int SegmentMax = 1024; // longer literal segments are in no document

    private readonly Dictionary<string, PathNode> _literals = new(StringComparer.Ordinal);
    private readonly List<(SegmentTemplate Template, PathNode Node)> _templates = [];
    private NameTable _names = new([]);
    private PathNode[] _nodes = [];
    private (SegmentTemplate Template, PathNode Node)[] _ordered = [];

    internal PathItem? Item { get; set; }

    internal PathNode Literal(string decoded)
    {
        if (!_literals.TryGetValue(decoded, out PathNode? node)) _literals.Add(decoded, node = new PathNode());
        return node;
    }

    internal PathNode Templated(SegmentTemplate template)
    {
        foreach ((SegmentTemplate known, PathNode node) in _templates)
        {
            if (known.Shape == template.Shape) return node;
        }
        _templates.Add((template, new PathNode()));
        return _templates[^1].Node;
    }

    internal void Freeze()
    {
        _names = new NameTable([.. _literals.Keys]);
        _nodes = [.. _literals.Values];
        _ordered = [.. _templates.OrderByDescending(t => t.Template.LiteralBytes)];
        foreach (PathNode node in _nodes) node.Freeze();
        foreach ((_, PathNode node) in _ordered) node.Freeze();
    }

    // Hot path: per request. 0 allocations. Each node is visited at most once, so the document bounds the work.
    /// <summary>Concrete segments first, then templated ones (OpenAPI 3.1 §4.8.8).</summary>
    internal PathItem? Find(ReadOnlySpan<byte> path, int offset, ref PathValues values)
    {
        if (offset > path.Length) return Item;
        int length = path[offset..].IndexOf((byte)'/');
        if (length < 0) length = path.Length - offset;
        ReadOnlySpan<byte> segment = path.Slice(offset, length);
        int next = offset + length + 1;
        if (_nodes.Length > 0 && segment.Length <= SegmentMax)
        {
            int slot = FindLiteral(segment);
            if (slot >= 0 && _nodes[slot].Find(path, next, ref values) is { } found) return found;
        }
        int count = values.Count;
        foreach ((SegmentTemplate template, PathNode node) in _ordered)
        {
            if (template.TryMatch(segment, offset, ref values) && node.Find(path, next, ref values) is { } found) return found;
            values.Count = count;
        }
        return null;
    }

    private int FindLiteral(ReadOnlySpan<byte> segment)
    {
        if (segment.IndexOf((byte)'%') < 0) return _names.Find(segment, NameHash.Of(segment));
        Span<byte> decoded = stackalloc byte[SegmentMax];
        int length = PercentText.Decode(segment, decoded, plusIsSpace: false);
        return length < 0 ? -1 : _names.Find(decoded[..length], NameHash.Of(decoded[..length]));
    }
}

/// <summary>The operations of one path.</summary>
internal sealed class PathItem(string template, string[] parameterNames)
{
    private readonly List<(byte[] Method, OpenApiOperation Operation)> _operations = [];

    internal string Template { get; } = template;

    /// <summary>In the order of the template, those of the base path first.</summary>
    internal string[] ParameterNames { get; } = parameterNames;

    /// <summary>The field of a 405.</summary>
    internal string Allow { get; private set; } = "";

    internal void Add(OpenApiOperation operation)
    {
        _operations.Add((System.Text.Encoding.ASCII.GetBytes(operation.Method), operation));
        IEnumerable<string> methods = _operations.Select(o => o.Operation.Method);
        if (methods.Contains("GET") && !methods.Contains("HEAD")) methods = methods.Append("HEAD");
        Allow = string.Join(", ", methods.Order(StringComparer.Ordinal));
    }

    /// <summary>HEAD is GET without the body (RFC 9110 §9.3.2), where it is not described itself.</summary>
    internal OpenApiOperation? Find(ReadOnlySpan<byte> method)
    {
        OpenApiOperation? get = null;
        foreach ((byte[] name, OpenApiOperation operation) in _operations)
        {
            if (method.SequenceEqual(name)) return operation;
            if (name.AsSpan().SequenceEqual("GET"u8)) get = operation;
        }
        return method.SequenceEqual("HEAD"u8) ? get : null;
    }
}
