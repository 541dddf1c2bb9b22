namespace LoadBalancer.Core.Routing;

/// <summary>Header fields of one request, as far as routing needs them: no HTTP/1.1 type, so that HTTP/2 can be routed by the same table.</summary>
internal interface IFieldLookup
{
    /// <summary>The first field of that name. The name is lower case; the comparison ignores the case of what was sent.</summary>
    bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value);
}
