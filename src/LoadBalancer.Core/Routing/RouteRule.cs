namespace LoadBalancer.Core.Routing;

/// <summary>Header access for matching, without any wire format.</summary>
internal interface IFieldLookup
{
    bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value);
}

/// <summary>One rule as the user wrote it, and what it leads to. See <see cref="Configuration.RouteConfig"/> for the meaning of the parts.</summary>
internal sealed record RouteRule<TRoute>(
    string Name, IReadOnlyList<string> Hosts, string Path, IReadOnlyList<string> Methods, IReadOnlyDictionary<string, string> Headers, TRoute Route);
