using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Protection.Rules;

/// <summary>The rules of a listener, in the order of the configuration. Immutable.</summary>
internal sealed class BlockRules
{
    private readonly BlockRule[] _rules;
    private readonly bool _looksAtPath;

    private BlockRules(BlockRule[] rules)
    {
        _rules = rules;
        _looksAtPath = rules.Any(rule => rule.LooksAtPath);
    }

    /// <summary>Those of a listener; null for none.</summary>
    internal static BlockRules? Of(ProxyConfig config, string listener, AddressListStore lists)
    {
        BlockRule[] rules = [.. config.BlockRules.Where(rule => rule.Value.Listeners.Count == 0 || rule.Value.Listeners.Contains(listener)).Select(rule => new BlockRule(rule.Key, rule.Value, lists))];
        return rules.Length == 0 ? null : new BlockRules(rules);
    }

    /// <summary>The first rule that refuses a request, which is noted, as are those that only would have; null where it may go on.</summary>
    // Hot path: per request. 0 allocations.
    internal BlockRule? Find(Exchange exchange, ReadOnlySpan<byte> path, in PeerAddress client)
    {
        if (!_looksAtPath || !PlainPath.Differs(path)) return Find(exchange, path, default, client);
        SlabPool slabs = exchange.Context.Loop.Slabs;
        Slab plain = slabs.Lease(path.Length);
        BlockRule? found = Find(exchange, path, plain.Array.AsSpan(0, PlainPath.Write(path, plain.Array)), client);
        slabs.Return(plain);
        return found;
    }

    private BlockRule? Find(Exchange exchange, ReadOnlySpan<byte> path, ReadOnlySpan<byte> plainPath, in PeerAddress client)
    {
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        var input = new RuleInput
        {
            Request = request,
            Bytes = bytes,
            Method = bytes.Slice(request.MethodStart, request.MethodLength),
            Host = RouteTable<RouteSnapshot>.SplitAuthority(bytes.Slice(request.AuthorityStart, request.AuthorityLength), out _),
            Path = path,
            PlainPath = plainPath,
            Client = client,
        };
        foreach (BlockRule rule in _rules)
        {
            if (!rule.Matches(input)) continue;
            exchange.Context.Server.Refusals.Note(exchange.Record, EndReason.RequestBlocked, rule.Name, rule.IsDryRun);
            if (!rule.IsDryRun) return rule;
        }
        return null;
    }
}
