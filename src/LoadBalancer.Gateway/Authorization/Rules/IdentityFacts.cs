using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization.Roles;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>What the rules of one policy want to know of one identity, found out once. Immutable.</summary>
internal sealed class IdentityFacts
{
    private readonly HashSet<string> _scopes = new(StringComparer.Ordinal), _permissions;
    private readonly RoleGrants _grants;
    private readonly bool[] _holds;

    internal IdentityFacts(IClientIdentity identity, AccessRules rules, RoleTable table, string rolesClaim, string permissionsClaim)
    {
        Identity = identity;
        Table = table;
        Claims = [.. rules.Claims.Select(claim => ClaimReader.Read(identity, claim))];
        foreach (string value in ClaimReader.Read(identity, "scope").Concat(ClaimReader.Read(identity, "scp"))) _scopes.UnionWith(value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        // As they are: "*" in a token is no wildcard.
        _permissions = new(ClaimReader.Read(identity, permissionsClaim), StringComparer.Ordinal);
        _grants = table.Grant(ClaimReader.Read(identity, rolesClaim));
        _holds = [.. rules.All.Select(rule => rule.Holds(this))];
    }

    internal IClientIdentity Identity { get; }

    /// <summary>The table by which its roles were looked up.</summary>
    internal RoleTable Table { get; }

    /// <summary>Values of the claims that rules ask for, by their index.</summary>
    internal IReadOnlyList<string>[] Claims { get; }

    internal bool HasScope(string scope) => _scopes.Contains(scope);

    internal bool HasRole(string role) => _grants.Has(role);

    internal bool HasPermission(string permission) => _permissions.Contains(permission) || _grants.Permits(permission);

    /// <summary>Whether what rule <paramref name="rule"/> asks of the identity alone holds.</summary>
    internal bool Holds(int rule) => _holds[rule];
}
