using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>A list of objects; one alone stands for a list of one.</summary>
internal sealed class ObjectListSpec<T>(ObjectSpec<T> item) : ValueSpec<IReadOnlyList<T>> where T : class
{
    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out IReadOnlyList<T> value)
    {
        var items = new List<T>();
        value = items;
        List<ConfigNode> nodes = node.Kind == ConfigNodeKind.Array ? node.Items : [node];
        bool ok = true;
        for (int i = 0; i < nodes.Count; i++)
        {
            // An unreadable one keeps its place: the validator's indexes must stay those of the file.
            ok &= item.TryRead(nodes[i], ConfigPath.Item(path, i), context, out T entry);
            items.Add(entry);
        }
        return ok;
    }

    internal override void WriteValue(Utf8JsonWriter json, IReadOnlyList<T> value)
    {
        json.WriteStartArray();
        foreach (T one in value) item.WriteValue(json, one);
        json.WriteEndArray();
    }

    internal override void WriteSchema(SchemaWriter schema) => schema.OneOrList(item);
}
