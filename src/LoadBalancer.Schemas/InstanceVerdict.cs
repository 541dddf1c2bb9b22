namespace LoadBalancer.Schemas;

/// <summary>What validation says of an instance.</summary>
public enum InstanceVerdict
{
    /// <summary>It is as the schema has it.</summary>
    Valid,
    /// <summary>It is not.</summary>
    Invalid,
    /// <summary>It is no JSON text (RFC 8259) in UTF-8, or names a property twice.</summary>
    NotJson,
    /// <summary>It has more bytes, values or levels than <see cref="Json.JsonLimits"/> allows.</summary>
    TooLarge,
    /// <summary>Checking it takes more steps, nesting or time of regular expressions than <see cref="SchemaOptions"/> allows.</summary>
    TooComplex,
}
