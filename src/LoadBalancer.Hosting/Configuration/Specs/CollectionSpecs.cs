using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>A list of values that are written as strings; a single string stands for a list of one.</summary>
internal class ListSpec<T>(ScalarSpec<T> item, T standIn) : ValueSpec<IReadOnlyList<T>>
{
    internal sealed override bool TryRead(ConfigNode node, string path, ReadContext context, out IReadOnlyList<T> value)
    {
        var items = new List<T>();
        value = items;
        if (node.Kind == ConfigNodeKind.String)
        {
            if (!item.TryRead(node, path, context, out T single)) return false;
            items.Add(single);
            return true;
        }
        if (node.Kind != ConfigNodeKind.Array) return Wrong(node, path, context, "a list of strings, or one string");
        bool ok = true;
        for (int i = 0; i < node.Items.Count; i++)
        {
            // An unreadable one keeps its place: the validator's indexes must stay those of the file.
            bool read = item.TryRead(node.Items[i], ConfigPath.Item(path, i), context, out T entry);
            items.Add(read ? entry : standIn);
            ok &= read;
        }
        return ok;
    }

    internal sealed override void WriteSchema(SchemaWriter schema) => schema.OneOrList(item);

    internal sealed override void WriteValue(Utf8JsonWriter json, IReadOnlyList<T> value)
    {
        json.WriteStartArray();
        foreach (T one in value) item.WriteValue(json, one);
        json.WriteEndArray();
    }
}

/// <summary>A list of strings.</summary>
internal sealed class TextListSpec(TextSpec item) : ListSpec<string>(item, standIn: "")
{
    internal override void WriteDefault(Utf8JsonWriter json, IReadOnlyList<string> value)
    {
        json.WriteStartArray("default");
        foreach (string text in value) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}

/// <summary>A set of choices, written as a list of their names.</summary>
internal sealed class FlagsSpec<T>(params (string Name, T Value)[] choices) : ValueSpec<T> where T : struct, Enum
{
    private readonly ListSpec<T> _list = new(new ChoiceSpec<T>(choices), standIn: default);

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out T value)
    {
        bool ok = _list.TryRead(node, path, context, out IReadOnlyList<T> flags);
        value = (T)Enum.ToObject(typeof(T), flags.Aggregate(0, (all, flag) => all | Convert.ToInt32(flag, null)));
        return ok;
    }

    internal override void WriteSchema(SchemaWriter schema) => _list.WriteSchema(schema);

    internal override void WriteValue(Utf8JsonWriter json, T value)
    {
        json.WriteStartArray();
        foreach ((string name, T flag) in choices)
            if (value.HasFlag(flag)) json.WriteStringValue(name);
        json.WriteEndArray();
    }

    internal override void WriteDefault(Utf8JsonWriter json, T value)
    {
        json.WriteStartArray("default");
        foreach ((string name, T flag) in choices)
            if (value.HasFlag(flag)) json.WriteStringValue(name);
        json.WriteEndArray();
    }
}

/// <summary>An object whose keys are the user's own names.</summary>
internal sealed class MapSpec<T>(ValueSpec<T> item, Func<T> standIn) : ValueSpec<IReadOnlyDictionary<string, T>>
{
    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out IReadOnlyDictionary<string, T> value)
    {
        var items = new Dictionary<string, T>(StringComparer.Ordinal);
        value = items;
        if (node.Kind != ConfigNodeKind.Object) return Wrong(node, path, context, "an object with a name for each entry");
        bool ok = true;
        foreach (ConfigMember member in node.Members)
        {
            // An unreadable entry keeps its name, so that references to it are not reported too.
            bool read = item.TryRead(member.Value, ConfigPath.Member(path, member.Key), context, out T entry);
            items[member.Key] = read ? entry : entry ?? standIn();
            ok &= read;
        }
        return ok;
    }

    internal override void WriteValue(Utf8JsonWriter json, IReadOnlyDictionary<string, T> value)
    {
        json.WriteStartObject();
        foreach ((string name, T one) in value)
        {
            json.WritePropertyName(name);
            item.WriteValue(json, one);
        }
        json.WriteEndObject();
    }

    internal override void WriteSchema(SchemaWriter schema)
    {
        schema.Json.WriteString("type", "object");
        schema.Json.WriteStartObject("additionalProperties");
        item.WriteSchema(schema);
        schema.Json.WriteEndObject();
    }
}
