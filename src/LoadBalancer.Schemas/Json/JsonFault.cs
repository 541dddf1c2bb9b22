namespace LoadBalancer.Schemas.Json;

/// <summary>Why a text was not read.</summary>
internal enum JsonFault : byte
{
    None,
    /// <summary>It breaks the grammar of RFC 8259, or is no UTF-8, or has half of a surrogate pair.</summary>
    NotJson,
    TooLarge,
    TooDeep,
    DuplicateName,
    /// <summary>A number that nobody computes with: over 1024 characters, or its exponent over nine digits.</summary>
    NumberTooLong,
}
