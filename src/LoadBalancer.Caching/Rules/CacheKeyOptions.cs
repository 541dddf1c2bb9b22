namespace LoadBalancer.Caching.Rules;

/// <summary>
/// What a primary key is made of, beside method (GET and HEAD are one) and path. What is left out is not seen by the cache, but still by the origin: where an answer
/// depends on it, one client gets what another has asked for.
/// </summary>
public sealed record CacheKeyOptions
{
    /// <summary>What the key begins with, so that one store can hold what different users of it must not share. Null (default): nothing. Without LF.</summary>
    public string? Space { get; init; }

    /// <summary>http and https are apart. Default on.</summary>
    public bool UsesScheme { get; init; } = true;

    /// <summary>Hosts are apart. Default on; off only where all hosts of a route serve the same.</summary>
    public bool UsesHost { get; init; } = true;

    /// <summary>What of the query counts. Default all.</summary>
    public QueryRule Query { get; init; } = QueryRule.All;

    /// <summary>Names of parameters for <see cref="QueryRule.Except"/> and <see cref="QueryRule.Only"/>; a '*' at the end stands for anything ("utm_*"). Case counts.</summary>
    public IReadOnlyList<string> QueryNames { get; init; } = [];

    /// <summary>Parameters are put in the order of their names; those of one name stay in theirs. Default off.</summary>
    public bool SortsQuery { get; init; }

    /// <summary>Names of request fields whose values count. Default none: what an answer depends on, Vary says.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];

    /// <summary>Names of cookies whose values count. Default none.</summary>
    public IReadOnlyList<string> Cookies { get; init; } = [];
}

/// <summary>What of a query counts in a key.</summary>
public enum QueryRule : byte
{
    /// <summary>All of it.</summary>
    All,
    /// <summary>All parameters but those named.</summary>
    Except,
    /// <summary>Only the parameters that are named.</summary>
    Only,
    /// <summary>Nothing of it.</summary>
    None,
}
