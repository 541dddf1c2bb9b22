using LoadBalancer.Core.Configuration;
namespace LoadBalancer.Gateway.Authorization.Roles;

/// <summary>What a role permits.</summary>
public sealed record RoleConfig
{
    /// <summary>Permissions: "orders:read"; "orders:*" for all that begin so, "*" for all.</summary>
    public IReadOnlyList<string> Permissions { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Roles of which it has all permissions, and for which it counts.</summary>
    public IReadOnlyList<string> Includes { get; init => field = ConfigList<string>.Of(value); } = [];
}
