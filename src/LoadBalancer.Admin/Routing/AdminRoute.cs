namespace LoadBalancer.Admin.Routing;

/// <summary>What answers a method on a path.</summary>
/// <param name="Method">GET, which answers HEAD too, PUT, POST or DELETE.</param>
/// <param name="Template">The path: "{name}" takes one segment, "{name}:verb" one that ends so.</param>
/// <param name="Handler">Answers. May stream, until the token is cancelled.</param>
internal sealed record AdminRoute(string Method, string Template, Func<AdminExchange, CancellationToken, Task> Handler)
{
    /// <summary>Whether it answers without the token: it tells nothing of the server.</summary>
    internal bool IsPublic { get; init; }

    /// <summary>Whether what it does has to reach a process that takes over. Default: all but GET.</summary>
    internal bool IsChange { get; init; } = Method != "GET";
}
