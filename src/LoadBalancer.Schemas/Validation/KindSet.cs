using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Validation;

/// <summary>JSON types as "type" names them: one bit for each <see cref="JsonKind"/>, and one for numbers that are whole.</summary>
[Flags]
internal enum KindSet : ushort
{
    None = 0,
    Null = 1 << JsonKind.Null,
    Boolean = 1 << JsonKind.False | 1 << JsonKind.True,
    Number = 1 << JsonKind.Number,
    // The name of a property is a string to "propertyNames".
    String = 1 << JsonKind.String | 1 << JsonKind.Name,
    Array = 1 << JsonKind.Array,
    Object = 1 << JsonKind.Object,
    Integer = 1 << 8,
    All = Null | Boolean | Number | String | Array | Object,
}

internal static class KindSets
{
    internal static KindSet Of(JsonKind kind) => (KindSet)(1 << (int)kind);

    internal static bool TryParse(string name, out KindSet kinds)
    {
        kinds = name switch
        {
            "null" => KindSet.Null,
            "boolean" => KindSet.Boolean,
            "number" => KindSet.Number | KindSet.Integer,
            "integer" => KindSet.Integer,
            "string" => KindSet.String,
            "array" => KindSet.Array,
            "object" => KindSet.Object,
            _ => KindSet.None,
        };
        return kinds != KindSet.None;
    }

    internal static string Describe(KindSet kinds)
    {
        var names = new List<string>();
        if (kinds.HasFlag(KindSet.Object)) names.Add("object");
        if (kinds.HasFlag(KindSet.Array)) names.Add("array");
        if (kinds.HasFlag(KindSet.String)) names.Add("string");
        if (kinds.HasFlag(KindSet.Number)) names.Add("number");
        else if (kinds.HasFlag(KindSet.Integer)) names.Add("integer");
        if (kinds.HasFlag(KindSet.Boolean)) names.Add("boolean");
        if (kinds.HasFlag(KindSet.Null)) names.Add("null");
        return string.Join(" or ", names);
    }
}
