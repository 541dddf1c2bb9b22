namespace LoadBalancer.Caching.Rules;

/// <summary>One part of a body.</summary>
/// <param name="First">Offset of its first byte.</param>
/// <param name="Last">Offset of its last byte.</param>
public readonly record struct ByteRange(long First, long Last)
{
    /// <summary>In bytes; at least 1.</summary>
    public long Length => Last - First + 1;
}
