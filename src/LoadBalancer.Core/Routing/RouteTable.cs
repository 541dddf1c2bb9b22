using System.Text;

namespace LoadBalancer.Core.Routing;

/// <summary>
/// All rules of a listener, compiled: hosts by hash, paths by a trie over segments. Immutable. The most specific match wins: exact host,
/// then the longest wildcard, then any; in each exact path, then templates (literal first), then the longest prefix; among rules for one
/// path those with more conditions first, then by name.
/// </summary>
internal sealed class RouteTable<TRoute> where TRoute : class
{
    private readonly ByteKeyTable<PathNode<TRoute>> _exactHosts = new();
    private readonly ByteKeyTable<PathNode<TRoute>> _suffixes = new(); // "example.com" of "*.example.com"
    private PathNode<TRoute>? _anyHost;

    internal static RouteTable<TRoute> Build(IEnumerable<RouteRule<TRoute>> rules)
    {
        var table = new RouteTable<TRoute>();
        // By name first and conditions next: the order inside a node is then the order of trying.
        foreach (RouteRule<TRoute> rule in rules.OrderBy(r => r.Name, StringComparer.Ordinal).OrderByDescending(r => r.Headers.Count * 2 + (r.Methods.Count > 0 ? 1 : 0)))
        {
            var candidate = new RouteCandidate<TRoute>(rule);
            if (rule.Hosts.Count == 0) (table._anyHost ??= new()).Add(rule.Path, candidate);
            foreach (string host in rule.Hosts)
            {
                byte[] key = Encoding.ASCII.GetBytes(host.ToLowerInvariant());
                if (host.StartsWith("*.", StringComparison.Ordinal)) table._suffixes.GetOrAdd(key.AsSpan(2)).Add(rule.Path, candidate);
                else table._exactHosts.GetOrAdd(key).Add(rule.Path, candidate);
            }
        }
        return table;
    }

    // Hot path: per request. 0 allocations.
    /// <summary>The route for a request, or null.</summary>
    /// <param name="authority">Host as sent, with or without port, in any case; may be empty.</param>
    /// <param name="path">The normal path, beginning with '/', or "*".</param>
    /// <param name="method">The method as sent.</param>
    /// <param name="fields">Header access.</param>
    internal TRoute? Find<TFields>(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> path, ReadOnlySpan<byte> method, ref TFields fields)
        where TFields : struct, IFieldLookup, allows ref struct
    {
        if (_exactHosts.Count + _suffixes.Count > 0 && authority.Length is > 0 and <= 255)
        {
            Span<byte> lower = stackalloc byte[authority.Length];
            Ascii.ToLower(authority, lower, out _);
            int hostLength = HostLength(lower);
            if (hostLength < lower.Length && _exactHosts.TryGet(lower, out PathNode<TRoute>? node) && node.Find(path, method, ref fields) is { } withPort) return withPort;
            ReadOnlySpan<byte> host = lower[..hostLength];
            if (_exactHosts.TryGet(host, out node) && node.Find(path, method, ref fields) is { } exact) return exact;
            if (_suffixes.Count > 0)
            {
                for (int dot; (dot = host.IndexOf((byte)'.')) >= 0;)
                {
                    host = host[(dot + 1)..];
                    if (_suffixes.TryGet(host, out node) && node.Find(path, method, ref fields) is { } wildcard) return wildcard;
                }
            }
        }
        return _anyHost?.Find(path, method, ref fields);
    }

    private static int HostLength(ReadOnlySpan<byte> authority)
    {
        int colon = authority.LastIndexOf((byte)':');
        return colon >= 0 && authority[colon..].IndexOf((byte)']') < 0 ? colon : authority.Length;
    }
}

/// <summary>A rule at the end of a path: what remains to be checked.</summary>
internal sealed class RouteCandidate<TRoute>(RouteRule<TRoute> rule)
{
    private readonly byte[][] _methods = [.. rule.Methods.Select(Encoding.ASCII.GetBytes)];
    private readonly (byte[] Name, byte[] Value)[] _headers =
        [.. rule.Headers.Select(h => (Encoding.ASCII.GetBytes(h.Key.ToLowerInvariant()), Encoding.UTF8.GetBytes(h.Value)))];

    internal TRoute Route { get; } = rule.Route;

    internal bool Matches<TFields>(ReadOnlySpan<byte> method, ref TFields fields) where TFields : struct, IFieldLookup, allows ref struct
    {
        if (_methods.Length > 0)
        {
            bool any = false;
            foreach (byte[] allowed in _methods) any |= method.SequenceEqual(allowed);
            if (!any) return false;
        }
        foreach ((byte[] name, byte[] expected) in _headers)
        {
            if (!fields.TryGet(name, out ReadOnlySpan<byte> value)) return false;
            if (!expected.AsSpan().SequenceEqual("*"u8) && !value.SequenceEqual(expected)) return false;
        }
        return true;
    }
}

/// <summary>One place in the path trie. Immutable after the table is built.</summary>
internal sealed class PathNode<TRoute> where TRoute : class
{
    private readonly ByteKeyTable<PathNode<TRoute>> _literals = new();
    private PathNode<TRoute>? _template;
    private readonly List<RouteCandidate<TRoute>> _exact = [];
    private readonly List<RouteCandidate<TRoute>> _prefix = [];

    internal void Add(string path, RouteCandidate<TRoute> candidate)
    {
        bool isPrefix = path.EndsWith("/**", StringComparison.Ordinal);
        PathNode<TRoute> node = this;
        string rest = isPrefix ? path[..^3] : path;
        foreach (string segment in rest.Length == 0 ? [] : rest[1..].Split('/'))
        {
            node = segment is ['{', .., '}'] ? node._template ??= new() : node._literals.GetOrAdd(Encoding.UTF8.GetBytes(segment));
        }
        (isPrefix ? node._prefix : node._exact).Add(candidate);
    }

    /// <param name="path">What is left of the path: empty, or beginning with '/'; "*" at the root.</param>
    /// <param name="method">The method.</param>
    /// <param name="fields">Header access.</param>
    internal TRoute? Find<TFields>(ReadOnlySpan<byte> path, ReadOnlySpan<byte> method, ref TFields fields)
        where TFields : struct, IFieldLookup, allows ref struct
    {
        if (path.IsEmpty)
        {
            if (First(_exact, method, ref fields) is { } exact) return exact;
        }
        else if (path[0] == '/' && (_literals.Count > 0 || _template is not null))
        {
            ReadOnlySpan<byte> rest = path[1..];
            int length = rest.IndexOf((byte)'/');
            if (length < 0) length = rest.Length;
            if (_literals.TryGet(rest[..length], out PathNode<TRoute>? literal) && literal.Find(rest[length..], method, ref fields) is { } found) return found;
            if (length > 0 && _template?.Find(rest[length..], method, ref fields) is { } template) return template;
        }
        return First(_prefix, method, ref fields);
    }

    private static TRoute? First<TFields>(List<RouteCandidate<TRoute>> candidates, ReadOnlySpan<byte> method, ref TFields fields)
        where TFields : struct, IFieldLookup, allows ref struct
    {
        foreach (RouteCandidate<TRoute> candidate in candidates)
        {
            if (candidate.Matches(method, ref fields)) return candidate.Route;
        }
        return null;
    }
}
