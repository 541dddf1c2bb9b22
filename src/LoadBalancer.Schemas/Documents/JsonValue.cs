using System.Text;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Documents;

/// <summary>One value of a document. For loading, not for the hot path.</summary>
internal readonly record struct JsonValue(SchemaDocument Document, int Node)
{
    internal JsonKind Kind => Document.View.Nodes[Node].Kind;

    internal bool IsObject => Kind == JsonKind.Object;

    internal bool IsArray => Kind == JsonKind.Array;

    internal bool IsString => Kind == JsonKind.String;

    internal bool IsNumber => Kind == JsonKind.Number;

    internal bool IsTrue => Kind == JsonKind.True;

    internal bool IsBoolean => Kind is JsonKind.True or JsonKind.False;

    /// <summary>Children of an array, properties of an object.</summary>
    internal int Count => Document.View.Nodes[Node].Count;

    /// <summary>What a string says; a number as it is written.</summary>
    internal string Text => Encoding.UTF8.GetString(Document.View.TextOf(Node));

    internal ExactNumber Number => ExactNumber.Parse(Document.View.TextOf(Node));

    /// <summary>Where it is in its document (RFC 6901).</summary>
    internal string Pointer => Document.PointerOf(Node);

    /// <summary>Document and pointer, as in <c>common.json#/$defs/id</c>; of the document that was loaded first only the pointer.</summary>
    internal string Location => $"{Document.Name}#{Pointer}";

    internal JsonValue? Find(string name)
    {
        if (!IsObject) return null;
        int at = Document.Find(Node, name);
        return at < 0 ? null : new JsonValue(Document, at);
    }

    internal string? FindText(string name) => Find(name) is { IsString: true } value ? value.Text : null;

    internal bool IsSet(string name) => Find(name) is { IsTrue: true };

    internal IEnumerable<JsonValue> Items()
    {
        if (!IsArray) yield break;
        int end = Document.EndOf(Node);
        for (int i = Node + 1; i < end; i = Document.EndOf(i)) yield return new JsonValue(Document, i);
    }

    internal IEnumerable<(string Name, JsonValue Value)> Properties()
    {
        if (!IsObject) yield break;
        int end = Document.EndOf(Node);
        for (int i = Node + 1; i < end; i = Document.EndOf(i + 1)) yield return (new JsonValue(Document, i).Text, new JsonValue(Document, i + 1));
    }
}
