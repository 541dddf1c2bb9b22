namespace LoadBalancer.Schemas.Json;

/// <summary>What a node of a <see cref="JsonTree"/> is.</summary>
internal enum JsonKind : byte
{
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
    /// <summary>The name of an object's property; its value is the next node.</summary>
    Name,
}
