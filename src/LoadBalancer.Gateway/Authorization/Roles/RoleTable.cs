namespace LoadBalancer.Gateway.Authorization.Roles;

/// <summary>Roles, what they permit and which they include. Immutable.</summary>
internal sealed class RoleTable
{
    /// <summary>Most roles, and most permissions and included roles of all of them.</summary>
    internal const int RolesMax = 10_000, EntriesMax = 200_000;

    private readonly Dictionary<string, Role> _roles = new(StringComparer.Ordinal);

    private sealed class Role
    {
        internal List<string> Permissions { get; } = [];

        internal List<string> Includes { get; } = [];
    }

    /// <summary>A table of several: a role that is in more than one has what all say.</summary>
    internal RoleTable(params IReadOnlyDictionary<string, RoleConfig>[] tables)
    {
        foreach ((string name, RoleConfig config) in tables.SelectMany(table => table))
        {
            if (!_roles.TryGetValue(name, out Role? role)) _roles.Add(name, role = new Role());
            role.Permissions.AddRange(config.Permissions);
            role.Includes.AddRange(config.Includes);
        }
    }

    internal int Count => _roles.Count;

    internal IReadOnlyCollection<string> Names => _roles.Keys;

    /// <summary>What roles give together, with those that they include. A role that is not in the table counts for itself.</summary>
    internal RoleGrants Grant(IReadOnlyList<string> roles)
    {
        var has = new HashSet<string>(StringComparer.Ordinal);
        var permissions = new HashSet<string>(StringComparer.Ordinal);
        var prefixes = new List<string>();
        var next = new Stack<string>(roles);
        while (next.TryPop(out string? name))
        {
            if (!has.Add(name) || !_roles.TryGetValue(name, out Role? role)) continue;
            foreach (string permission in role.Permissions)
            {
                if (permission.EndsWith('*')) prefixes.Add(permission[..^1]);
                else permissions.Add(permission);
            }
            foreach (string included in role.Includes) next.Push(included);
        }
        return new RoleGrants(has, permissions, prefixes);
    }

    /// <summary>What is wrong, with the role in which it is; null when nothing is: sizes, roles that are not there, roles that include themselves.</summary>
    internal (string Role, string Problem)? FindProblem()
    {
        if (_roles.Count > RolesMax) return ("", $"has {_roles.Count} roles; expected at most {RolesMax}");
        int entries = _roles.Values.Sum(role => role.Permissions.Count + role.Includes.Count);
        if (entries > EntriesMax) return ("", $"has {entries} permissions and included roles; expected at most {EntriesMax}");
        foreach ((string name, Role role) in _roles)
        {
            if (role.Includes.Find(included => !_roles.ContainsKey(included)) is { } missing)
                return (name, $"includes the role {Core.Configuration.CharacterText.Quote(missing)}, which is not there{Core.Configuration.Suggestion.Text(missing, [.. _roles.Keys.Where(key => key != name)])}");
        }
        return FindCycle() is { } cycle ? (cycle[0], $"includes itself: {string.Join(" > ", cycle)}") : null;
    }

    // Takes away, again and again, those that include nobody any more; whoever is left leads into a cycle.
    private List<string>? FindCycle()
    {
        var waitsFor = _roles.ToDictionary(role => role.Key, role => role.Value.Includes.Distinct().Count(), StringComparer.Ordinal);
        ILookup<string, string> includedBy = _roles.SelectMany(role => role.Value.Includes.Distinct().Select(included => (Included: included, By: role.Key))).ToLookup(pair => pair.Included, pair => pair.By);
        var free = new Queue<string>(waitsFor.Where(role => role.Value == 0).Select(role => role.Key));
        while (free.TryDequeue(out string? name))
        {
            waitsFor.Remove(name);
            foreach (string by in includedBy[name]) if (--waitsFor[by] == 0) free.Enqueue(by);
        }
        if (waitsFor.Count == 0) return null;
        var path = new List<string>();
        for (string name = waitsFor.Keys.First(); ; name = _roles[name].Includes.First(waitsFor.ContainsKey))
        {
            int seen = path.IndexOf(name);
            path.Add(name);
            if (seen >= 0) return path[seen..];
        }
    }
}

/// <summary>What somebody has by his roles.</summary>
internal sealed class RoleGrants(HashSet<string> roles, HashSet<string> permissions, List<string> prefixes)
{
    internal bool Has(string role) => roles.Contains(role);

    internal bool Permits(string permission) => permissions.Contains(permission) || prefixes.Exists(prefix => permission.StartsWith(prefix, StringComparison.Ordinal));
}
