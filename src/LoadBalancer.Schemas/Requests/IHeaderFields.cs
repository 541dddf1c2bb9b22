namespace LoadBalancer.Schemas.Requests;

/// <summary>The header fields of a message.</summary>
public interface IHeaderFields
{
    /// <summary>The value of a field; of several lines all, with commas between (RFC 9110 §5.3), of Cookie with semicolons.</summary>
    /// <param name="name">In lower case.</param>
    /// <param name="value">Valid until the fields change or are asked again.</param>
    bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value);
}
