using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Protection.Rules;

/// <summary>A rule by which requests are refused. Immutable, but for what its address lists hold.</summary>
internal sealed class BlockRule
{
    private readonly WildcardPattern[] _hosts, _paths;
    private readonly byte[][] _methods;
    private readonly FieldCondition[] _fields;
    private readonly AddressList[] _addresses;

    internal BlockRule(string name, BlockRuleConfig config, AddressListStore lists)
    {
        Name = name;
        Status = config.Status;
        IsDryRun = config.DryRun;
        _hosts = [.. config.Hosts.Select(host => new WildcardPattern(host))];
        // As in routes, "/a/**" is for "/a" too.
        _paths = [.. config.Paths.SelectMany(path => path.EndsWith("/**", StringComparison.Ordinal) && path.Length > 3 ? new[] { path[..^3], path } : [path]).Select(path => new WildcardPattern(path))];
        _methods = [.. config.Methods.Select(Encoding.ASCII.GetBytes)];
        _addresses = lists.Get(config.Addresses);
        IEnumerable<FieldCondition> fields = config.Headers.Select(header => new FieldCondition(header.Key, [header.Value]));
        if (config.UserAgents.Count > 0) fields = fields.Append(new FieldCondition("user-agent", config.UserAgents));
        _fields = [.. fields];
    }

    internal string Name { get; }

    internal int Status { get; }

    internal bool IsDryRun { get; }

    /// <summary>Whether its paths are looked at.</summary>
    internal bool LooksAtPath => _paths.Length > 0;

    /// <summary>Whether every condition holds.</summary>
    // Hot path: per request. 0 allocations.
    internal bool Matches(scoped in RuleInput input)
    {
        if (_methods.Length > 0 && !HasMethod(input.Method)) return false;
        if (_hosts.Length > 0 && !Any(_hosts, input.Host)) return false;
        if (_paths.Length > 0 && !Any(_paths, input.Path) && (input.PlainPath.IsEmpty || !Any(_paths, input.PlainPath))) return false;
        if (_addresses.Length > 0 && !IsListed(input.Client)) return false;
        foreach (FieldCondition field in _fields)
            if (!field.Holds(input.Request, input.Bytes)) return false;
        return true;
    }

    private bool HasMethod(ReadOnlySpan<byte> method)
    {
        foreach (byte[] one in _methods)
            if (method.SequenceEqual(one)) return true;
        return false;
    }

    private bool IsListed(in PeerAddress client)
    {
        foreach (AddressList list in _addresses)
            if (list.Contains(client)) return true;
        return false;
    }

    private static bool Any(WildcardPattern[] patterns, ReadOnlySpan<byte> text)
    {
        foreach (WildcardPattern pattern in patterns)
            if (pattern.Matches(text)) return true;
        return false;
    }

    // A field may come in several lines: one that matches is enough. A missing one is as an empty one.
    private sealed class FieldCondition(string name, IReadOnlyList<string> patterns)
    {
        private readonly byte[] _name = Encoding.ASCII.GetBytes(name.ToLowerInvariant());
        private readonly WildcardPattern[] _patterns = [.. patterns.Where(pattern => pattern.Length > 0).Select(pattern => new WildcardPattern(pattern))];
        private readonly bool _isForNone = patterns.Contains("");

        internal bool Holds(RequestHead request, ReadOnlySpan<byte> bytes)
        {
            bool isThere = false;
            for (int i = 0; i < request.FieldCount; i++)
            {
                if (request.Fields[i].NameLength != _name.Length || !Ascii.EqualsIgnoreCase(request.NameOf(i, bytes), _name)) continue;
                ReadOnlySpan<byte> value = request.ValueOf(i, bytes);
                isThere |= !value.IsEmpty;
                if (!value.IsEmpty && Any(_patterns, value)) return true;
            }
            return _isForNone && !isThere;
        }
    }
}

/// <summary>What rules look at of a request.</summary>
internal readonly ref struct RuleInput
{
    internal required RequestHead Request { get; init; }
    internal required ReadOnlySpan<byte> Bytes { get; init; }
    internal required ReadOnlySpan<byte> Method { get; init; }

    /// <summary>Without port.</summary>
    internal required ReadOnlySpan<byte> Host { get; init; }

    /// <summary>As it is forwarded.</summary>
    internal required ReadOnlySpan<byte> Path { get; init; }

    /// <summary>See <see cref="Rules.PlainPath"/>; empty where it is the same.</summary>
    internal ReadOnlySpan<byte> PlainPath { get; init; }

    internal required PeerAddress Client { get; init; }
}
