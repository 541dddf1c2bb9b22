namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Requests that are refused before a route is looked for: those for which every condition given holds, of which each holds when one of its values does. In patterns "*" stands
/// for any characters, or none; they do not depend on case, and take time linear in what they are matched with.
/// </summary>
public sealed record BlockRuleConfig
{
    /// <summary>Listeners the rule applies to. Empty (default): all that serve HTTP.</summary>
    public IReadOnlyList<string> Listeners { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Patterns of hosts, without port. Empty (default): any.</summary>
    public IReadOnlyList<string> Hosts { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>
    /// Patterns of paths: "/wp-admin/**" (that path and everything below it, as in routes), "*.php". Matched with the path that is forwarded, and with that path as
    /// destinations may read it: decoded, with slashes merged. Empty (default): any.
    /// </summary>
    public IReadOnlyList<string> Paths { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Methods, case-sensitive. Empty (default): any.</summary>
    public IReadOnlyList<string> Methods { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Patterns of header fields by name, all of which must match; "*" is for any value, "" for a field that is missing or empty.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Patterns of User-Agent; "" is for a request without one. Empty (default): any.</summary>
    public IReadOnlyList<string> UserAgents { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Address lists (<see cref="ProxyConfig.AddressLists"/>) that the client is in. Empty (default): any client.</summary>
    public IReadOnlyList<string> Addresses { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Status of the answer, 400 to 599. Default 403.</summary>
    public int Status { get; init; } = 403;

    /// <summary>Refuse nothing; records and the meter tell what would have been. Default false.</summary>
    public bool DryRun { get; init; }
}
