using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Gateway.Authorization.Roles;
using LoadBalancer.Gateway.Authorization.Rules;

namespace LoadBalancer.Gateway.Authorization;

/// <summary>
/// Who may do what. The rules are asked in their order, and the first that matches decides; where none does, the service or Redis is asked, where one is given; else
/// the request is refused. For "the rules and the service" a route names two such policies.
/// </summary>
public sealed record AuthorizeConfig : PolicyConfig
{
    /// <summary>Rules in their order. Empty (default): the look-up decides alone.</summary>
    public IReadOnlyList<AccessRuleConfig> Rules { get; init => field = ConfigList<AccessRuleConfig>.Of(value); } = [];

    /// <summary>What roles permit, by their names. Default none.</summary>
    public IReadOnlyDictionary<string, RoleConfig> Roles { get; init => field = ConfigMap<RoleConfig>.Of(value); } = ConfigMap<RoleConfig>.Empty;

    /// <summary>JSON file with more of <see cref="Roles"/>, watched: a change is used within some seconds, one that cannot be used changes nothing. Null (default) for none.</summary>
    public string? RolesFile { get; init; }

    /// <summary>Claim that has the roles: a name, or member names with dots between them, as in "realm_access.roles". Default "roles".</summary>
    public string RolesClaim { get; init; } = "roles";

    /// <summary>Claim that has permissions beside those of the roles, written as <see cref="RolesClaim"/>. Default "permissions".</summary>
    public string PermissionsClaim { get; init; } = "permissions";

    /// <summary>An HTTP service that is asked where no rule decides. Null (default) for none.</summary>
    public AuthorizationServiceConfig? Service { get; init; }

    /// <summary>What is looked up in Redis where no rule decides. Null (default) for nothing.</summary>
    public RedisPermissionConfig? Redis { get; init; }

    /// <summary>What <see cref="Redis"/> asks in the place of Redis. Null (default): the <see cref="ProxyConfig.Redis"/> of the configuration.</summary>
    public IPermissionSource? Permissions { get; init; }

    /// <summary>Status for a request that nobody is known to be behind, where it could matter who is: 401 (default, with WWW-Authenticate), or 403.</summary>
    public int Unauthenticated { get; init; } = 401;

    /// <summary>Whether it only says what it would refuse, in the record and on the meter. Default false.</summary>
    public bool DryRun { get; init; }

    /// <inheritdoc/>
    public override string Kind => "authorize";

    /// <inheritdoc/>
    protected internal override bool UsesRedis => Redis is not null && Permissions is null;

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems) => AuthorizeValidator.Validate(this, problems);

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => string.IsNullOrEmpty(RolesFile) ? this : this with { RolesFile = Path.GetFullPath(RolesFile, directory) };

    /// <inheritdoc/>
    protected internal override bool IsSameIn(ProxyConfig before, ProxyConfig after) =>
        base.IsSameIn(before, after) && Rules.SelectMany(rule => rule.Clients).All(name => before.AddressLists.GetValueOrDefault(name) == after.AddressLists.GetValueOrDefault(name));

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => new AuthorizePolicy(this, services);
}
