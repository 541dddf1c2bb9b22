namespace LoadBalancer.Core.Routing;

/// <summary>"name=value" pairs between separators: the Cookie field (RFC 6265 §4.2.1), query parameters. Names depend on case.</summary>
internal static class NamedPairs
{
    /// <summary>The value of the first pair of that name. Blanks around a pair do not count.</summary>
    internal static bool TryFind(ReadOnlySpan<byte> pairs, byte separator, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (Range range in pairs.Split(separator))
        {
            ReadOnlySpan<byte> pair = pairs[range].Trim((byte)' ');
            if (pair.Length <= name.Length || pair[name.Length] != '=' || !pair.StartsWith(name)) continue;
            value = pair[(name.Length + 1)..];
            return true;
        }
        value = default;
        return false;
    }
}
