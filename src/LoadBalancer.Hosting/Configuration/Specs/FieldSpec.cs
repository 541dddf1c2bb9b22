using System.Text.Json;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>One key of an object.</summary>
internal abstract class FieldSpec<TOwner>(string name, string doc)
{
    internal string Name { get; } = name;

    /// <summary>Sentences for the schema; the first is also what a missing key is told with.</summary>
    internal string Doc { get; } = doc;

    internal bool IsRequired { get; init; }

    /// <summary>The key of the same object that may be given instead of a required one.</summary>
    internal string? RequiredUnless { get; init; }

    /// <summary>What people of other balancers call it; suggested, never accepted.</summary>
    internal string[] OtherNames { get; init; } = [];

    /// <summary>The value in a record.</summary>
    internal abstract object? Get(TOwner owner);

    /// <summary>A copy of the record with the value read; the record itself when it cannot be read.</summary>
    internal abstract TOwner Read(TOwner owner, ConfigNode node, string path, ReadContext context);

    internal abstract void WriteSchema(SchemaWriter schema, TOwner defaults);

    /// <summary>What of the value is not shown where a configuration is.</summary>
    internal Secrecy Secrecy { get; init; }

    /// <summary>Writes key and value, where there is one, without secrets.</summary>
    internal abstract void Write(Utf8JsonWriter json, TOwner owner);
}

/// <inheritdoc/>
internal sealed class FieldSpec<TOwner, T>(string name, string doc, ValueSpec<T> value, Func<TOwner, T> get, Func<TOwner, T, TOwner> set)
    : FieldSpec<TOwner>(name, doc)
{
    internal override object? Get(TOwner owner) => get(owner);

    internal override TOwner Read(TOwner owner, ConfigNode node, string path, ReadContext context)
    {
        bool ok = value.TryRead(node, path, context, out T read);
        // Collections and objects are kept with what could be read of them; of a scalar there is nothing to keep.
        return ok || read is System.Collections.IEnumerable and not string ? set(owner, read) : owner;
    }

    internal override void WriteSchema(SchemaWriter schema, TOwner defaults)
    {
        value.WriteSchema(schema);
        if (!IsRequired) value.WriteDefault(schema.Json, get(defaults));
    }

    internal override void Write(Utf8JsonWriter json, TOwner owner)
    {
        T held = get(owner);
        if (held is null or System.Collections.ICollection { Count: 0 }) return;
        json.WritePropertyName(Name);
        if (Secrecy == Secrecy.All) EffectiveConfig.WriteHidden(json, held);
        else if (Secrecy == Secrecy.Credentials && held is string address) json.WriteStringValue(EffectiveConfig.WithoutSecrets(address));
        else value.WriteValue(json, held);
    }
}

/// <summary>What of a value is not for everybody who may see a configuration.</summary>
internal enum Secrecy
{
    None,
    /// <summary>User, password and query of an address.</summary>
    Credentials,
    /// <summary>All of it; of a map its values.</summary>
    All,
}
