namespace LoadBalancer.Core.Routing;

/// <summary>What a route matches, in the syntax of <see cref="Configuration.RouteConfig"/>, and what it stands for.</summary>
/// <param name="Name">Unique; decides between rules that are equally specific (ordinal order, first wins).</param>
/// <param name="Hosts">Empty for any.</param>
/// <param name="Path">"/exact", "/users/{id}", "/files/**"; brought into the normal form that requests are compared in.</param>
/// <param name="Methods">Empty for any.</param>
/// <param name="Headers">Value by name; "*" for presence.</param>
/// <param name="Route">What <see cref="RouteTable{TRoute}.Find"/> returns.</param>
internal sealed record RouteRule<TRoute>(
    string Name,
    IReadOnlyList<string> Hosts,
    string Path,
    IReadOnlyList<string> Methods,
    IReadOnlyDictionary<string, string> Headers,
    TRoute Route)
{
    /// <summary>Value by name; "*" for presence. Default none.</summary>
    internal IReadOnlyDictionary<string, string> Cookies { get; init; } = new Dictionary<string, string>();
}
