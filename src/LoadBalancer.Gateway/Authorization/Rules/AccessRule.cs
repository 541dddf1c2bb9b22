using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>One rule, ready to be asked. Immutable.</summary>
internal sealed class AccessRule
{
    private readonly string[] _methods; // empty: all
    private readonly RulePath[] _paths; // empty: any
    private readonly AddressSet? _clients;
    private readonly AddressList[] _lists;
    private readonly ClaimCondition[] _ofPath, _ofIdentity;
    private readonly AccessRuleConfig _config;

    /// <param name="name">For the log.</param>
    /// <param name="config">One in which nothing is wrong.</param>
    /// <param name="claims">Names of the claims that the policy's rules ask for; those of this one are added.</param>
    /// <param name="findList">Finds an address list by its name.</param>
    internal AccessRule(string name, AccessRuleConfig config, List<string> claims, Func<string, AddressList> findList)
    {
        _config = config;
        Allows = config.Allow.Count > 0;
        IReadOnlyList<string> methods = Allows ? config.Allow : config.Deny;
        _methods = methods.Contains("*") ? [] : methods.Contains("GET") ? [.. methods.Append("HEAD").Distinct()] : [.. methods];
        _paths = [.. config.Path.Select(path => new RulePath(path))];
        var blocks = new List<AddressBlock>();
        var lists = new List<AddressList>();
        foreach (string client in config.Clients)
        {
            if (AddressBlockText.TryParse(client, out AddressBlock block, out _)) blocks.Add(block);
            else lists.Add(findList(client));
        }
        _clients = blocks.Count > 0 ? new AddressSet(blocks) : null;
        _lists = [.. lists];
        var conditions = new List<ClaimCondition>();
        foreach ((string claim, ClaimConditionConfig condition) in config.Claims)
        {
            int index = claims.IndexOf(claim);
            if (index < 0) claims.Add(claim);
            conditions.Add(new ClaimCondition(index < 0 ? claims.Count - 1 : index, condition));
        }
        _ofPath = [.. conditions.Where(condition => condition.IsOfPath)];
        _ofIdentity = [.. conditions.Where(condition => !condition.IsOfPath)];
        AsksWho = config.Claims.Count + config.Scopes.Count + config.Roles.Count + config.Permissions.Count > 0 || config.Authenticated == true;
        Refusal = Allows ? null : PolicyAnswer.Refuse(403, EndReason.Forbidden, $"denied by {name}");
        HasPath = Array.Exists(_paths, path => !path.IsAny);
    }

    /// <summary>Whether it allows; else it denies.</summary>
    internal bool Allows { get; }

    /// <summary>Whether it can match only where somebody is known to be behind the request.</summary>
    internal bool AsksWho { get; }

    /// <summary>Whether it has a condition on the path.</summary>
    internal bool HasPath { get; }

    /// <summary>What is answered where it denies.</summary>
    internal PolicyAnswer? Refusal { get; }

    /// <summary>Whether all conditions hold that depend on who it is and on nothing else. Computed once for each identity.</summary>
    internal bool Holds(IdentityFacts facts)
    {
        if (_config.Authenticated == false) return false;
        foreach (ClaimCondition condition in _ofIdentity) if (!condition.Holds(facts.Claims[condition.Claim])) return false;
        foreach (string scope in _config.Scopes) if (!facts.HasScope(scope)) return false;
        foreach (string permission in _config.Permissions) if (!facts.HasPermission(permission)) return false;
        bool hasRole = _config.Roles.Count == 0;
        foreach (string role in _config.Roles) hasRole |= facts.HasRole(role);
        return hasRole;
    }

    /// <summary>Whether what does not depend on who it is holds: method, address, path.</summary>
    // Hot path: per request and rule. 0 allocations.
    internal bool MatchesRequest(string method, PathReadings path, in PeerAddress client) =>
        (_methods.Length == 0 || HasMethod(method)) && (!HasPath || HasPathOf(path)) && (_config.Clients.Count == 0 || HasClient(client));

    /// <summary>Whether the conditions hold that depend on who it is and on the path.</summary>
    internal bool MatchesVariables(IdentityFacts? facts, PathReadings path)
    {
        if (_ofPath.Length == 0) return true;
        if (facts is null) return false;
        foreach (ClaimCondition condition in _ofPath)
        {
            bool holds = false;
            // Of several paths the variables are those of one that matches.
            foreach (RulePath pattern in _paths)
            {
                if (_paths.Length > 1 && !(Allows ? pattern.MatchesAll(path) : pattern.MatchesAny(path))) continue;
                holds |= condition.Holds(facts.Claims[condition.Claim], pattern, path[0], ifUnreadable: !Allows);
            }
            if (!holds) return false;
        }
        return true;
    }

    private bool HasMethod(string method)
    {
        // A destination may take "get" for GET: who denies means both.
        StringComparison comparison = Allows ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        foreach (string one in _methods) if (string.Equals(one, method, comparison)) return true;
        return false;
    }

    private bool HasPathOf(PathReadings path)
    {
        foreach (RulePath pattern in _paths) if (Allows ? pattern.MatchesAll(path) : pattern.MatchesAny(path)) return true;
        return false;
    }

    private bool HasClient(in PeerAddress client)
    {
        if (client.Family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) return false;
        if (_clients is not null && _clients.Contains(client.Family == AddressFamily.InterNetwork, client.AddressBits)) return true;
        foreach (AddressList list in _lists) if (list.Contains(client)) return true;
        return false;
    }
}
