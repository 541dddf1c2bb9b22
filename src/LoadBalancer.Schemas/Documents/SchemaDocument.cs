using System.Globalization;
using System.Text;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Documents;

/// <summary>A document that was read: a schema, an OpenAPI description, or a part of one. Immutable once it is indexed.</summary>
internal sealed class SchemaDocument(Uri uri, string name, byte[] text, JsonTree tree)
{
    private const int IndexedMin = 16; // up to here looking at each property is as fast

    private readonly Dictionary<int, Dictionary<string, int>> _indexes = [];
    private (int Parent, int Index)[]? _places;

    /// <summary>Where it was read from: what relative references in it start from.</summary>
    internal Uri Uri { get; } = uri;

    /// <summary>What it is called in problems. Empty for the document that was loaded first.</summary>
    internal string Name { get; } = name;

    internal JsonView View => tree.Over(text);

    internal JsonValue Root => new(this, 0);

    /// <summary>Of each schema that has been found in it, what it belongs to.</summary>
    internal Dictionary<int, SchemaResource> Resources { get; } = [];

    internal int EndOf(int node) => tree.Over(text).Nodes[node].End;

    /// <summary>The value of an object's property; -1 where there is none.</summary>
    internal int Find(int parent, string name)
    {
        JsonView view = View;
        if (view.Nodes[parent].Count < IndexedMin)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            return view.Find(parent, utf8, NameHash.Of(utf8));
        }
        if (!_indexes.TryGetValue(parent, out Dictionary<string, int>? index))
        {
            _indexes.Add(parent, index = new Dictionary<string, int>(StringComparer.Ordinal));
            for (int i = parent + 1; i < view.Nodes[parent].End; i = view.Nodes[i + 1].End) index[Encoding.UTF8.GetString(view.TextOf(i))] = i + 1;
        }
        return index.GetValueOrDefault(name, -1);
    }

    /// <summary>Where a value is (RFC 6901).</summary>
    internal string PointerOf(int node)
    {
        JsonView view = View;
        var tokens = new Stack<string>();
        (int Parent, int Index)[] places = _places ??= FindPlaces();
        for (; node != 0; node = places[node].Parent)
        {
            // The name of a property is the node before its value.
            tokens.Push(view.Nodes[places[node].Parent].Kind == JsonKind.Object ? JsonPointer.Escape(Encoding.UTF8.GetString(view.TextOf(node - 1)))
                : places[node].Index.ToString(CultureInfo.InvariantCulture));
        }
        return tokens.Count == 0 ? "" : "/" + string.Join('/', tokens);
    }

    private (int Parent, int Index)[] FindPlaces()
    {
        JsonView view = View;
        var places = new (int Parent, int Index)[view.Nodes.Length];
        for (int parent = 0; parent < places.Length; parent++)
        {
            int step = view.Nodes[parent].Kind switch { JsonKind.Object => 1, JsonKind.Array => 0, _ => -1 };
            int index = 0;
            for (int i = parent + 1; step >= 0 && i < view.Nodes[parent].End; i = view.Nodes[i + step].End) places[i + step] = (parent, index++);
        }
        return places;
    }
}
