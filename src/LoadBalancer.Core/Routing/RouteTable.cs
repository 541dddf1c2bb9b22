using System.Runtime.CompilerServices;
using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Routing;

/// <summary>
/// Finds the most specific route for a request. Built once from one configuration, immutable, read from any thread.
/// <para>
/// Order: the host (exact, then "*." with the longest suffix, then any; at the same name one with a port before any port), then the
/// path (exact, then template with literal segments before parameters from the left, then the prefix of most segments), then the
/// number of conditions on headers and cookies plus one for a method condition, then the name. A candidate whose method or headers do not match is
/// passed over for the next in that order, down to less specific paths and hosts.
/// </para>
/// <para>
/// Each host has a trie over path segments. A segment is what stands between slashes, so "/a/" has the segments "a" and "" and
/// differs from "/a". A parameter stands for one segment that is not empty. Every step to a child is one comparison or one hash
/// look-up, and a walk never leaves what the rules spell out, so the time does not depend on the number of routes and is bounded
/// whatever a client sends. Captures are not produced: the walk passes each parameter's segment as a slice of the path.
/// </para>
/// </summary>
internal sealed class RouteTable<TRoute> where TRoute : class
{
    private const int HostBytesMax = 255; // RFC 1035 §2.3.4; what is longer is no name that a rule could mean

    private readonly TRoute? _only; // the single catch-all route of a table that has no other
    private readonly ByteTable<HostEntry>? _exact;
    private readonly ByteTable<HostEntry>? _suffixes; // "example.com" for "*.example.com"
    private readonly int _suffixBytesMax;
    private readonly HostEntry? _any;

    private RouteTable(TRoute? only, ByteTable<HostEntry>? exact, ByteTable<HostEntry>? suffixes, int suffixBytesMax, HostEntry? any)
    {
        _only = only;
        _exact = exact;
        _suffixes = suffixes;
        _suffixBytesMax = suffixBytesMax;
        _any = any;
    }

    /// <summary>Builds the table.</summary>
    /// <exception cref="ArgumentException">A host or path is not in the syntax the validator accepts.</exception>
    internal static RouteTable<TRoute> Build(IEnumerable<RouteRule<TRoute>> rules)
    {
        RouteRule<TRoute>[] all = [.. rules];
        if (all is [{ Hosts.Count: 0, Path: "/**", Methods.Count: 0, Headers.Count: 0, Cookies.Count: 0 } single]) return new(single.Route, null, null, 0, null);

        Dictionary<string, HostBuilder> exact = [], suffixes = [];
        HostBuilder? any = null;
        foreach (RouteRule<TRoute> rule in all)
        {
            var candidate = new Candidate(rule);
            if (rule.Hosts.Count == 0) (any ??= new()).Add(-1, rule.Path, candidate);
            foreach (string host in rule.Hosts)
            {
                (string name, int port) = SplitHost(host);
                if (name == "*") (any ??= new()).Add(port, rule.Path, candidate);
                else if (name.StartsWith("*.", StringComparison.Ordinal)) Builder(suffixes, name[2..]).Add(port, rule.Path, candidate);
                else Builder(exact, name).Add(port, rule.Path, candidate);
            }
        }
        int suffixBytesMax = suffixes.Count == 0 ? 0 : suffixes.Keys.Max(name => name.Length);
        return new(null, Freeze(exact), Freeze(suffixes), suffixBytesMax, any?.ToEntry());

        static HostBuilder Builder(Dictionary<string, HostBuilder> builders, string name)
        {
            if (!builders.TryGetValue(name, out HostBuilder? builder)) builders.Add(name, builder = new());
            return builder;
        }

        static ByteTable<HostEntry>? Freeze(Dictionary<string, HostBuilder> builders) => builders.Count == 0
            ? null
            : new([.. builders.Select(item => KeyValuePair.Create(Encoding.ASCII.GetBytes(item.Key), item.Value.ToEntry()))], ignoreCase: true);
    }

    /// <summary>The most specific route that matches, or null.</summary>
    /// <param name="authority">Host and optional port as sent, in any case; empty when there is none.</param>
    /// <param name="path">The normalised path, which starts with '/', or "*".</param>
    /// <param name="method">The method as sent.</param>
    /// <param name="fields">Asked only for names that some candidate has a condition on.</param>
    // Hot path: per request. 0 allocations. RouteTableTests.Find_ThousandRoutes_AllocatesNothing
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal TRoute? Find<TFields>(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> path, ReadOnlySpan<byte> method, ref TFields fields)
        where TFields : struct, IFieldLookup, allows ref struct =>
        _only ?? FindByHost(authority, path, method, ref fields);

    private TRoute? FindByHost<TFields>(ReadOnlySpan<byte> authority, ReadOnlySpan<byte> path, ReadOnlySpan<byte> method, ref TFields fields)
        where TFields : struct, IFieldLookup, allows ref struct
    {
        bool anyPath = path is not [(byte)'/', ..]; // "*": only what matches every path
        ReadOnlySpan<byte> segments = anyPath ? default : path[1..];

        int port = -1;
        if (_exact is not null || _suffixes is not null || _any is { Ports.Length: > 0 })
        {
            ReadOnlySpan<byte> name = SplitAuthority(authority, out port);
            if (name.Length <= HostBytesMax)
            {
                if (_exact?.Find(name) is { } entry && entry.Find(port, segments, anyPath, method, ref fields) is { } found) return found;
                if (_suffixes is not null)
                {
                    // From the left, so from the longest suffix. At least one label stands before it.
                    for (int dot = Skip(name); dot < name.Length; dot++)
                    {
                        if (name[dot] == (byte)'.' && _suffixes.Find(name[(dot + 1)..]) is { } suffix &&
                            suffix.Find(port, segments, anyPath, method, ref fields) is { } route) return route;
                    }
                }
            }
        }
        return _any?.Find(port, segments, anyPath, method, ref fields);
    }

    // Where a suffix that is short enough to be in the table may begin.
    private int Skip(ReadOnlySpan<byte> name) => Math.Max(1, name.Length - _suffixBytesMax - 1);

    /// <summary>The host without its port, and the port, -1 for none.</summary>
    internal static ReadOnlySpan<byte> SplitAuthority(ReadOnlySpan<byte> authority, out int port)
    {
        port = -1;
        ReadOnlySpan<byte> name = authority;
        int colon = authority.LastIndexOf((byte)':');
        if (colon >= 0 && !authority[(colon + 1)..].Contains((byte)']'))
        {
            name = authority[..colon];
            int value = 0;
            ReadOnlySpan<byte> digits = authority[(colon + 1)..];
            foreach (byte digit in digits)
            {
                value = (uint)(digit - '0') <= 9 && value <= ushort.MaxValue ? value * 10 + (digit - '0') : int.MaxValue;
            }
            if (digits.Length > 0 && value <= ushort.MaxValue) port = value;
        }
        // An absolute name ("example.com.") is the same host.
        return name is [.., (byte)'.'] ? name[..^1] : name;
    }

    private static (string Name, int Port) SplitHost(string host)
    {
        if (!Ascii.IsValid(host) || host.Length == 0) throw new ArgumentException($"'{host}' is no host");
        byte[] bytes = Encoding.ASCII.GetBytes(host);
        ReadOnlySpan<byte> name = SplitAuthority(bytes, out int port);
        bool hasPort = !host.EndsWith(']') && host.LastIndexOf(':') > host.LastIndexOf(']');
        if (name.IsEmpty || hasPort && port < 0) throw new ArgumentException($"'{host}' is no host");
        return (Encoding.ASCII.GetString(name).ToLowerInvariant(), port);
    }

    /// <summary>The rules of one host name: those for a certain port, then those for any.</summary>
    private sealed class HostEntry(Node? anyPort, (int Port, Node Root)[] ports)
    {
        internal readonly (int Port, Node Root)[] Ports = ports;

        internal TRoute? Find<TFields>(int port, ReadOnlySpan<byte> segments, bool anyPath, ReadOnlySpan<byte> method, ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            foreach ((int Port, Node Root) item in Ports)
            {
                if (item.Port == port && Find(item.Root, segments, anyPath, method, ref fields) is { } found) return found;
            }
            return anyPort is null ? null : Find(anyPort, segments, anyPath, method, ref fields);
        }

        private static TRoute? Find<TFields>(Node root, ReadOnlySpan<byte> segments, bool anyPath, ReadOnlySpan<byte> method, ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            if (anyPath) return Match(root.Prefix, method, ref fields);
            return root.HasParameters ? FindWithParameters(root, segments, method, ref fields) : FindLiteral(root, segments, method, ref fields);
        }

        // Without parameters there is one way down; the prefixes are met from the longest on the way back.
        private static TRoute? FindLiteral<TFields>(Node root, ReadOnlySpan<byte> segments, ReadOnlySpan<byte> method, ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            Node node = root;
            while (node.HasLiterals)
            {
                int slash = segments.IndexOf((byte)'/');
                Node? child = node.FindLiteral(slash < 0 ? segments : segments[..slash]);
                if (child is null) break;
                node = child;
                if (slash < 0)
                {
                    if (Match(node.Terminal, method, ref fields) is { } found) return found;
                    break;
                }
                segments = segments[(slash + 1)..];
            }
            for (Node? up = node; up is not null; up = up.Parent)
            {
                if (up.Prefix is not null && Match(up.Prefix, method, ref fields) is { } found) return found;
            }
            return null;
        }

        private static TRoute? FindWithParameters<TFields>(Node root, ReadOnlySpan<byte> segments, ReadOnlySpan<byte> method, ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            TRoute? prefix = null;
            int prefixDepth = -1;
            return Walk(root, segments, ended: false, depth: 0, method, ref fields, ref prefix, ref prefixDepth) ?? prefix;
        }

        // Literal before parameter: the first end met is the most specific. Prefixes count only when there is no end at all, so they
        // are noted on the way back, the deeper replacing the shallower. As deep as the rules' longest path at the most.
        private static TRoute? Walk<TFields>(Node node, ReadOnlySpan<byte> segments, bool ended, int depth, ReadOnlySpan<byte> method, ref TFields fields,
            ref TRoute? prefix, ref int prefixDepth)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            if (ended)
            {
                if (Match(node.Terminal, method, ref fields) is { } found) return found;
            }
            else if (node.HasLiterals || node.Parameter is not null)
            {
                int slash = segments.IndexOf((byte)'/');
                ReadOnlySpan<byte> segment = slash < 0 ? segments : segments[..slash];
                ReadOnlySpan<byte> rest = slash < 0 ? default : segments[(slash + 1)..];
                if (node.FindLiteral(segment) is { } literal &&
                    Walk(literal, rest, slash < 0, depth + 1, method, ref fields, ref prefix, ref prefixDepth) is { } byLiteral) return byLiteral;
                if (node.Parameter is { } parameter && !segment.IsEmpty &&
                    Walk(parameter, rest, slash < 0, depth + 1, method, ref fields, ref prefix, ref prefixDepth) is { } byParameter) return byParameter;
            }
            if (depth > prefixDepth && node.Prefix is not null && Match(node.Prefix, method, ref fields) is { } candidate)
            {
                prefix = candidate;
                prefixDepth = depth;
            }
            return null;
        }

        private static TRoute? Match<TFields>(Candidate[]? candidates, ReadOnlySpan<byte> method, ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            if (candidates is null) return null;
            foreach (Candidate candidate in candidates)
            {
                if (candidate.IsUnconditional || candidate.Matches(method, ref fields)) return candidate.Route;
            }
            return null;
        }
    }

    /// <summary>One place in a trie. Read-only once built.</summary>
    private sealed class Node
    {
        private byte[]? _literal;     // the one literal child's segment, the common case
        private Node? _literalChild;
        private ByteTable<Node>? _literals; // two or more

        internal Node? Parent, Parameter;
        internal Candidate[]? Terminal, Prefix;
        internal bool HasParameters; // here or below

        internal bool HasLiterals { get; private set; }

        internal Node? FindLiteral(ReadOnlySpan<byte> segment)
        {
            if (_literal is { } literal) return segment.SequenceEqual(literal) ? _literalChild : null;
            return _literals?.Find(segment);
        }

        internal void SetLiterals(List<KeyValuePair<byte[], Node>> children)
        {
            HasLiterals = children.Count > 0;
            if (children.Count == 1) (_literal, _literalChild) = children[0];
            else if (children.Count > 1) _literals = new(children, ignoreCase: false);
        }
    }

    private sealed class Candidate
    {
        private readonly byte[][] _methods;
        private readonly (byte[] Name, byte[]? Value)[] _headers, _cookies; // no value: presence

        internal Candidate(RouteRule<TRoute> rule)
        {
            Name = rule.Name;
            Route = rule.Route;
            _methods = [.. rule.Methods.Select(Encoding.ASCII.GetBytes)];
            _headers = [.. rule.Headers.Select(item => (Encoding.ASCII.GetBytes(item.Key.ToLowerInvariant()), item.Value == "*" ? null : Encoding.UTF8.GetBytes(item.Value)))];
            _cookies = [.. rule.Cookies.Select(item => (Encoding.ASCII.GetBytes(item.Key), item.Value == "*" ? null : Encoding.UTF8.GetBytes(item.Value)))];
        }

        internal string Name { get; }

        internal TRoute Route { get; }

        internal bool IsUnconditional => _methods.Length + _headers.Length + _cookies.Length == 0;

        internal int Conditions => _headers.Length + _cookies.Length + (_methods.Length > 0 ? 1 : 0);

        internal bool Matches<TFields>(ReadOnlySpan<byte> method, ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            if (_methods.Length > 0)
            {
                bool known = false;
                foreach (byte[] allowed in _methods) known |= method.SequenceEqual(allowed);
                if (!known) return false;
            }
            foreach ((byte[] name, byte[]? wanted) in _headers)
            {
                if (!fields.TryGet(name, out ReadOnlySpan<byte> value) || wanted is not null && !value.SequenceEqual(wanted)) return false;
            }
            return _cookies.Length == 0 || HasCookies(ref fields);
        }

        private bool HasCookies<TFields>(ref TFields fields)
            where TFields : struct, IFieldLookup, allows ref struct
        {
            if (!fields.TryGet("cookie"u8, out ReadOnlySpan<byte> field)) return false;
            foreach ((byte[] name, byte[]? wanted) in _cookies)
            {
                if (!NamedPairs.TryFind(field, (byte)';', name, out ReadOnlySpan<byte> value) || wanted is not null && !value.SequenceEqual(wanted)) return false;
            }
            return true;
        }
    }

    private sealed class HostBuilder
    {
        private readonly SortedDictionary<int, NodeBuilder> _byPort = [];

        internal void Add(int port, string path, Candidate candidate)
        {
            if (!_byPort.TryGetValue(port, out NodeBuilder? root)) _byPort.Add(port, root = new());
            root.Add(path, candidate);
        }

        internal HostEntry ToEntry() => new(
            _byPort.TryGetValue(-1, out NodeBuilder? anyPort) ? anyPort.ToNode(null) : null,
            [.. _byPort.Where(item => item.Key >= 0).Select(item => (item.Key, item.Value.ToNode(null)))]);
    }

    private sealed class NodeBuilder
    {
        private readonly Dictionary<string, NodeBuilder> _literals = [];
        private readonly List<Candidate> _terminal = [], _prefix = [];
        private NodeBuilder? _parameter;

        internal void Add(string path, Candidate candidate)
        {
            if (!path.StartsWith('/')) throw new ArgumentException($"route '{candidate.Name}': path '{path}' does not start with '/'");
            bool isPrefix = path.EndsWith("/**", StringComparison.Ordinal);
            string[] segments = isPrefix && path.Length == 3 ? [] : path[1..(isPrefix ? ^3 : ^0)].Split('/');
            NodeBuilder node = this;
            foreach (string segment in segments)
            {
                if (segment is ['{', _, .., '}'])
                {
                    node = node._parameter ??= new();
                    continue;
                }
                if (segment.AsSpan().ContainsAny('*', '{', '}'))
                {
                    throw new ArgumentException($"route '{candidate.Name}': path '{path}' has a wildcard inside a segment");
                }
                string literal = Normalize(segment);
                if (!node._literals.TryGetValue(literal, out NodeBuilder? child)) node._literals.Add(literal, child = new());
                node = child;
            }
            (isPrefix ? node._prefix : node._terminal).Add(candidate);
        }

        // Requests are compared in normal form, so a rule for "/%7Ejoe" must mean "/~joe" or it would never match.
        private static string Normalize(string segment)
        {
            if (!segment.Contains('%')) return segment;
            byte[] path = Encoding.UTF8.GetBytes("/" + segment);
            int length = PathNormalizer.Normalize(path, path);
            if (length < 0) throw new ArgumentException($"path segment '{segment}' is malformed");
            return Encoding.UTF8.GetString(path, 1, length - 1);
        }

        internal Node ToNode(Node? parent)
        {
            var node = new Node { Parent = parent, Terminal = Sort(_terminal), Prefix = Sort(_prefix) };
            node.Parameter = _parameter?.ToNode(node);
            node.HasParameters = node.Parameter is not null;
            var children = new List<KeyValuePair<byte[], Node>>(_literals.Count);
            foreach ((string segment, NodeBuilder child) in _literals)
            {
                Node built = child.ToNode(node);
                node.HasParameters |= built.HasParameters;
                children.Add(new(Encoding.UTF8.GetBytes(segment), built));
            }
            node.SetLiterals(children);
            return node;
        }

        private static Candidate[]? Sort(List<Candidate> candidates)
        {
            if (candidates.Count == 0) return null;
            Candidate[] sorted = [.. candidates.OrderByDescending(item => item.Conditions).ThenBy(item => item.Name, StringComparer.Ordinal)];
            // Behind one without conditions nothing can be reached.
            int first = Array.FindIndex(sorted, item => item.IsUnconditional);
            return first < 0 ? sorted : sorted[..(first + 1)];
        }
    }
}
