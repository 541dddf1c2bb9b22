using LoadBalancer.Core.Configuration;
namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>A rule: all its conditions must hold for it to match. Exactly one of <see cref="Allow"/> and <see cref="Deny"/> is given.</summary>
public sealed record AccessRuleConfig
{
    /// <summary>Methods that the rule allows; "*" for all. "GET" is HEAD too. Empty where it denies.</summary>
    public IReadOnlyList<string> Allow { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Methods that the rule denies; "*" for all. "GET" is HEAD too. Empty where it allows.</summary>
    public IReadOnlyList<string> Deny { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>What the log calls it. Null (default): its place, "rules[3]".</summary>
    public string? Name { get; init; }

    /// <summary>Paths, any of them, as routes have them: "/exact", "/users/{id}", "/files/**". Empty (default): any.</summary>
    public IReadOnlyList<string> Path { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Claims, all of them, by name, or by member names with dots between them. Default none.</summary>
    public IReadOnlyDictionary<string, ClaimConditionConfig> Claims { get; init => field = ConfigMap<ClaimConditionConfig>.Of(value); } = ConfigMap<ClaimConditionConfig>.Empty;

    /// <summary>Scopes, all of them, in the claims "scope" (separated by spaces) or "scp". Default none.</summary>
    public IReadOnlyList<string> Scopes { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Roles, any of them, which the client has or which a role of his includes. Default none.</summary>
    public IReadOnlyList<string> Roles { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Permissions, all of them. Default none.</summary>
    public IReadOnlyList<string> Permissions { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>true: a policy has verified who it is; false: none has. Null (default): either.</summary>
    public bool? Authenticated { get; init; }

    /// <summary>Address blocks ("10.0.0.0/8") and names of address lists, any of them. Empty (default): any.</summary>
    public IReadOnlyList<string> Clients { get; init => field = ConfigList<string>.Of(value); } = [];
}

/// <summary>What a claim must be: any of what is given here.</summary>
public sealed record ClaimConditionConfig
{
    /// <summary>Values, one of which it equals, or has where it is a list. "{id}" stands for the variable of the rule's path.</summary>
    public IReadOnlyList<string> Is { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Beginnings, with one of which it, or an entry of it, begins.</summary>
    public IReadOnlyList<string> Prefix { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>true: it is there, whatever it is; false: it is not. Null (default): it has a value of the others.</summary>
    public bool? Present { get; init; }
}
