using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>
/// Describes one kind of value. The specs form a tree that is the single source of the reader and of the JSON Schema, so that the two
/// cannot drift; delegates instead of reflection keep it fit for trimming and NativeAOT.
/// </summary>
internal abstract class ValueSpec<T>
{
    /// <summary>Reads a value; false, with the problem reported, when it cannot be read. A usable stand-in is set even then.</summary>
    internal abstract bool TryRead(ConfigNode node, string path, ReadContext context, out T value);

    /// <summary>Writes the schema's members into the object that is open.</summary>
    internal abstract void WriteSchema(SchemaWriter schema);

    /// <summary>Writes <c>"default": ...</c>; nothing when the value has no text of its own.</summary>
    internal virtual void WriteDefault(Utf8JsonWriter json, T value)
    {
    }

    /// <summary>Writes a value as a file would have it, without secrets.</summary>
    internal abstract void WriteValue(Utf8JsonWriter json, T value);

    private protected static bool Wrong(ConfigNode node, string path, ReadContext context, string expected)
    {
        context.Add(node, path, $"expected {expected}, found {node.Description}");
        return false;
    }
}

/// <summary>A value that is a string in the file, or has a literal of its own and may come from a substituted string.</summary>
internal abstract class ScalarSpec<T> : ValueSpec<T>
{
    /// <summary>What is expected, as a message says it.</summary>
    private protected abstract string Expected { get; }

    /// <summary>Reads the literal forms that are no strings.</summary>
    private protected virtual bool TryLiteral(ConfigNode node, out T value)
    {
        value = default!;
        return false;
    }

    /// <summary>Reads text; <paramref name="error"/> is the rest of a sentence, or empty for the usual one.</summary>
    private protected abstract bool TryText(string text, bool isSubstituted, out T value, out string error);

    internal sealed override bool TryRead(ConfigNode node, string path, ReadContext context, out T value)
    {
        if (node.Kind != ConfigNodeKind.String) return TryLiteral(node, out value) || Wrong(node, path, context, Expected + Hint(node));
        value = default!;
        bool isSubstituted = Substitution.IsUsed(node);
        if (!Substitution.TryResolve(node, path, context, out string text)) return false;
        if (TryText(text, isSubstituted, out value, out string error)) return true;
        if (error.Length > 0) context.Add(node, path, $"{CharacterText.Quote(text)} {error}");
        else if (isSubstituted) context.Add(node, path, $"expected {Expected}, found {CharacterText.Quote(text)} from {CharacterText.Quote(node.Text)}");
        else Wrong(node, path, context, Expected);
        return false;
    }

    private protected virtual string Hint(ConfigNode node) => "";
}
