using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Gateway.Authorization.Roles;
using LoadBalancer.Gateway.Authorization.Rules;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="AuthorizeConfig"/>.</summary>
internal static class AuthorizeSpecs
{
    private static readonly ChoiceSpec<LookupFailure> OnError = new(("deny", LookupFailure.Deny), ("allow", LookupFailure.Allow), ("stale", LookupFailure.Stale));

    internal static readonly ObjectSpec<ClaimConditionConfig> ClaimCondition = new(
        "claimCondition", "What a claim must be: any of what is given. A string or list is its \"is\"; true asks that it is there, false that it is not.", () => new ClaimConditionConfig(),
        new FieldSpec<ClaimConditionConfig, IReadOnlyList<string>>("is", "Values, one of which it equals, or has where it is a list. \"{id}\" stands for the variable of the rule's path.",
            new TextListSpec(new TextSpec(examples: ["{id}"])), c => c.Is, (c, v) => c with { Is = v }) { OtherNames = ["equals", "exact", "contains", "value", "values", "oneOf"] },
        new FieldSpec<ClaimConditionConfig, IReadOnlyList<string>>("prefix", "Beginnings, with one of which it, or an entry of it, begins.",
            new TextListSpec(new TextSpec()), c => c.Prefix, (c, v) => c with { Prefix = v }) { OtherNames = ["startsWith", "beginsWith"] },
        new FieldSpec<ClaimConditionConfig, bool?>("present", "true: it is there, whatever it is; false: it is not.",
            new OptionalFlagSpec(), c => c.Present, (c, v) => c with { Present = v }) { OtherNames = ["exists"] });

    internal static readonly ObjectSpec<AccessRuleConfig> Rule = new(
        "accessRule", "A rule: all its conditions must hold for it to match. Exactly one of \"allow\" and \"deny\".", () => new AccessRuleConfig(),
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("allow", "Methods that it allows; \"*\" for all. \"GET\" is HEAD too.",
            new TextListSpec(new TextSpec(examples: ["GET", "*"])), c => c.Allow, (c, v) => c with { Allow = v }) { OtherNames = ["permit", "methods"] },
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("deny", "Methods that it denies; \"*\" for all. \"GET\" is HEAD too.",
            new TextListSpec(new TextSpec(examples: ["*"])), c => c.Deny, (c, v) => c with { Deny = v }) { OtherNames = ["forbid", "refuse"] },
        new FieldSpec<AccessRuleConfig, string?>("name", "What the log calls it. Left out: its place, as in \"rules[3]\".",
            new TextSpec()!, c => c.Name, (c, v) => c with { Name = v }) { OtherNames = ["id"] },
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("path", "Paths, any of them: \"/exact\", \"/users/{id}\", \"/files/**\". Left out: any.",
            new TextListSpec(new TextSpec(examples: ["/users/{id}", "/admin/**"])), c => c.Path, (c, v) => c with { Path = v }) { OtherNames = ["paths", "uri", "prefix"] },
        new FieldSpec<AccessRuleConfig, IReadOnlyDictionary<string, ClaimConditionConfig>>("claims", "Claims, all of them, by name, or by member names with dots between them.",
            new MapSpec<ClaimConditionConfig>(new ClaimSpec(), () => new ClaimConditionConfig()), c => c.Claims, (c, v) => c with { Claims = v }) { OtherNames = ["claim", "when"] },
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("scopes", "Scopes, all of them.",
            new TextListSpec(new TextSpec()), c => c.Scopes, (c, v) => c with { Scopes = v }) { OtherNames = ["scope"] },
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("roles", "Roles, any of them, which the client has or which a role of his includes.",
            new TextListSpec(new TextSpec()), c => c.Roles, (c, v) => c with { Roles = v }) { OtherNames = ["role", "groups", "group"] },
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("permissions", "Permissions, all of them.",
            new TextListSpec(new TextSpec()), c => c.Permissions, (c, v) => c with { Permissions = v }) { OtherNames = ["permission", "authorities"] },
        new FieldSpec<AccessRuleConfig, bool?>("authenticated", "true: a policy has verified who it is; false: none has. Left out: either.",
            new OptionalFlagSpec(), c => c.Authenticated, (c, v) => c with { Authenticated = v }),
        new FieldSpec<AccessRuleConfig, IReadOnlyList<string>>("clients", "Address blocks and names of \"addressLists\", any of them. Left out: any.",
            new TextListSpec(new TextSpec(examples: ["10.0.0.0/8", "office"])), c => c.Clients, (c, v) => c with { Clients = v }) { OtherNames = ["ip", "ips", "cidr", "cidrs", "from", "sourceRange", "ipBlocks"] });

    private static readonly ObjectSpec<RoleConfig> RoleObject = new(
        "role", "What a role permits. A string or list is its \"permissions\".", () => new RoleConfig(),
        new FieldSpec<RoleConfig, IReadOnlyList<string>>("permissions", "Permissions: \"orders:read\"; \"orders:*\" for all that begin so, \"*\" for all.",
            new TextListSpec(new TextSpec(examples: ["orders:read", "orders:*"])), c => c.Permissions, (c, v) => c with { Permissions = v }) { OtherNames = ["permission", "allow"] },
        new FieldSpec<RoleConfig, IReadOnlyList<string>>("includes", "Roles of which it has all permissions, and for which it counts.",
            new TextListSpec(new TextSpec()), c => c.Includes, (c, v) => c with { Includes = v }) { OtherNames = ["include", "inherits", "extends", "parents", "composites"] });

    internal static readonly ObjectSpec<DecisionCacheConfig> Cache = new(
        "decisionCache", "Which decisions are kept, and for how long. true: the defaults.", () => new DecisionCacheConfig(),
        new FieldSpec<DecisionCacheConfig, TimeSpan>("for", "How long a permission is used.",
            new DurationSpec(AuthorizationRanges.For), c => c.For, (c, v) => c with { For = v }) { OtherNames = ["ttl", "maxAge", "allowedFor", "authorizedTtl"] },
        new FieldSpec<DecisionCacheConfig, TimeSpan>("deniedFor", "How long a refusal is used; 0 for not at all.",
            new DurationSpec(AuthorizationRanges.For), c => c.DeniedFor, (c, v) => c with { DeniedFor = v }) { OtherNames = ["negativeTtl", "unauthorizedTtl"] },
        new FieldSpec<DecisionCacheConfig, IReadOnlyList<string>>("key",
            "What a decision depends on: \"method\", \"scheme\", \"host\", \"path\", \"query\", \"ip\", \"header:NAME\", \"cookie:NAME\", \"claim:NAME\". Empty: everything that the service is told.",
            new TextListSpec(new TextSpec(pattern: DecisionKeyPart.Pattern, examples: ["method", "path", "header:Authorization", "claim:sub"])), c => c.Key, (c, v) => c with { Key = v }) { OtherNames = ["by", "keys", "cacheKey"] },
        new FieldSpec<DecisionCacheConfig, bool>("useCacheControl", "Whether Cache-Control of the service's answer goes before \"for\" and \"deniedFor\": max-age, up to an hour; no-store and no-cache.",
            new FlagSpec(), c => c.UseCacheControl, (c, v) => c with { UseCacheControl = v }) { OtherNames = ["obeyCacheControl", "cacheControl"] },
        new FieldSpec<DecisionCacheConfig, long>("bytesMax", "Memory for decisions; beyond, refusals go first, then what ends soonest.",
            new SizeSpec(AuthorizationRanges.CacheBytesMax), c => c.BytesMax, (c, v) => c with { BytesMax = v }) { OtherNames = ["size", "maxSize", "memory"] })
    {
        IsDefaultForTrue = true,
    };

    internal static readonly ObjectSpec<AuthorizationServiceConfig> Service = new(
        "authorizationService",
        "An HTTP service that is asked, as with nginx's auth_request and Traefik's forwardAuth: 2xx allows; 3xx and 4xx are given to the client; anything else is no answer. It gets X-Forwarded-Method, -Proto, -Host, -Uri and -For. A plain string is its \"cluster\".",
        () => new AuthorizationServiceConfig { Cluster = "" },
        new FieldSpec<AuthorizationServiceConfig, string>("cluster", "Cluster of the service.",
            new TextSpec(), c => c.Cluster, (c, v) => c with { Cluster = v }) { IsRequired = true, OtherNames = ["address", "url", "uri", "backend"] },
        new FieldSpec<AuthorizationServiceConfig, string>("path", "Path, and perhaps a query.",
            new TextSpec(examples: ["/check"]), c => c.Path, (c, v) => c with { Path = v }) { Secrecy = Secrecy.Credentials, OtherNames = ["pathPrefix"] },
        new FieldSpec<AuthorizationServiceConfig, string>("method", "Method; without content.",
            new TextSpec(examples: ["GET", "HEAD", "POST"]), c => c.Method, (c, v) => c with { Method = v }),
        new FieldSpec<AuthorizationServiceConfig, IReadOnlyList<string>>("requestHeaders", "Fields of the request that it is sent.",
            new TextListSpec(new TextSpec()), c => c.RequestHeaders, (c, v) => c with { RequestHeaders = v }) { OtherNames = ["authRequestHeaders", "headersToUpstream", "allowedHeaders"] },
        new FieldSpec<AuthorizationServiceConfig, IReadOnlyList<string>>("responseHeaders", "Fields of its answer that the forwarded request gets, in the place of what the client has sent under these names.",
            new TextListSpec(new TextSpec(examples: ["X-User"])), c => c.ResponseHeaders, (c, v) => c with { ResponseHeaders = v }) { OtherNames = ["authResponseHeaders", "allowedUpstreamHeaders", "copyHeaders"] },
        new FieldSpec<AuthorizationServiceConfig, TimeSpan>("timeout", "Time for an answer.",
            new DurationSpec(AuthorizationRanges.Timeout), c => c.Timeout, (c, v) => c with { Timeout = v }),
        new FieldSpec<AuthorizationServiceConfig, int>("bodyBytesMax", "Longest content of an answer; a longer one is no answer.",
            new SmallSizeSpec(AuthorizationRanges.BodyBytesMax), c => c.BodyBytesMax, (c, v) => c with { BodyBytesMax = v }) { OtherNames = ["maxResponseBodySize"] },
        new FieldSpec<AuthorizationServiceConfig, DecisionCacheConfig?>("cache", "Which decisions are kept. Left out: none.",
            Cache!, c => c.Cache, (c, v) => c with { Cache = v }),
        new FieldSpec<AuthorizationServiceConfig, LookupFailure>("onError", "What becomes of a request for which there is no answer: \"deny\" (503), \"allow\", or \"stale\" (the last decision holds on for a time, else 503).",
            OnError, c => c.OnError, (c, v) => c with { OnError = v }) { OtherNames = ["failureMode", "failureModeAllow", "failOpen"] },
        new FieldSpec<AuthorizationServiceConfig, TimeSpan>("staleFor", "How long after its end a decision is used where there is no answer, with \"stale\".",
            new DurationSpec(AuthorizationRanges.StaleFor), c => c.StaleFor, (c, v) => c with { StaleFor = v }) { OtherNames = ["staleTtl", "maxStale"] })
    {
        FromText = text => new AuthorizationServiceConfig { Cluster = text },
    };

    internal static readonly ObjectSpec<RedisPermissionConfig> Redis = new(
        "redisPermission", "What is looked up in the configuration's \"redis\": that a key is there, has a value, or is a set with a member. A plain string is its \"key\".",
        () => new RedisPermissionConfig { Key = "" },
        new FieldSpec<RedisPermissionConfig, string>("key", "The key, with \"{claim:NAME}\", \"{method}\", \"{path}\", \"{host}\", \"{route}\" and \"{ip}\", which are percent-encoded.",
            new TextSpec(examples: ["perm:{claim:sub}:{method}:{path}"]), c => c.Key, (c, v) => c with { Key = v }) { IsRequired = true },
        new FieldSpec<RedisPermissionConfig, IReadOnlyList<string>>("value", "Values, one of which the key has. Left out: any.",
            new TextListSpec(new TextSpec(examples: ["allow"])), c => c.Value, (c, v) => c with { Value = v }) { OtherNames = ["values", "equals", "is"] },
        new FieldSpec<RedisPermissionConfig, string?>("member", "A member that the key, a set, has; written as the key.",
            new TextSpec(examples: ["{method}:{path}"])!, c => c.Member, (c, v) => c with { Member = v }) { OtherNames = ["set", "contains", "sismember"] },
        new FieldSpec<RedisPermissionConfig, TimeSpan>("timeout", "Time for an answer.",
            new DurationSpec(AuthorizationRanges.Timeout), c => c.Timeout, (c, v) => c with { Timeout = v }),
        new FieldSpec<RedisPermissionConfig, DecisionCacheConfig?>("cache", "Which decisions are kept. Left out: none.",
            Cache!, c => c.Cache, (c, v) => c with { Cache = v }),
        new FieldSpec<RedisPermissionConfig, LookupFailure>("onError", "What becomes of a request for which there is no answer: \"deny\" (503), \"allow\", or \"stale\" (the last decision holds on for a time, else 503).",
            OnError, c => c.OnError, (c, v) => c with { OnError = v }) { OtherNames = ["failureMode", "failOpen"] },
        new FieldSpec<RedisPermissionConfig, TimeSpan>("staleFor", "How long after its end a decision is used where there is no answer, with \"stale\".",
            new DurationSpec(AuthorizationRanges.StaleFor), c => c.StaleFor, (c, v) => c with { StaleFor = v }) { OtherNames = ["staleTtl", "maxStale"] })
    {
        FromText = text => new RedisPermissionConfig { Key = text },
    };

    internal static readonly ObjectSpec<AuthorizeConfig> Authorize = new(
        "authorizePolicy", "Who may do what: the first rule that matches decides; where none does, the service or Redis is asked, where one is given; else the request is refused.", () => new AuthorizeConfig(),
        new FieldSpec<AuthorizeConfig, IReadOnlyList<AccessRuleConfig>>("rules", "Rules in their order.",
            new ObjectListSpec<AccessRuleConfig>(Rule), c => c.Rules, (c, v) => c with { Rules = v }) { OtherNames = ["rule", "policies"] },
        new FieldSpec<AuthorizeConfig, IReadOnlyDictionary<string, RoleConfig>>("roles", "What roles permit, by their names.",
            new MapSpec<RoleConfig>(new RoleSpec(RoleObject), () => new RoleConfig()), c => c.Roles, (c, v) => c with { Roles = v }) { OtherNames = ["roleTable", "rolePermissions"] },
        new FieldSpec<AuthorizeConfig, string?>("rolesFile", "JSON file with more of \"roles\", written as there. Watched: a change is used within some seconds, what cannot be used is logged and changes nothing.",
            new TextSpec(examples: ["roles.json"])!, c => c.RolesFile, (c, v) => c with { RolesFile = v }) { OtherNames = ["roleFile", "file"] },
        new FieldSpec<AuthorizeConfig, string>("rolesClaim", "Claim that has the roles: a name, or member names with dots between them.",
            new TextSpec(examples: ["roles", "realm_access.roles"]), c => c.RolesClaim, (c, v) => c with { RolesClaim = v }) { OtherNames = ["roleClaim", "groupsClaim"] },
        new FieldSpec<AuthorizeConfig, string>("permissionsClaim", "Claim that has permissions beside those of the roles.",
            new TextSpec(examples: ["permissions"]), c => c.PermissionsClaim, (c, v) => c with { PermissionsClaim = v }) { OtherNames = ["permissionClaim"] },
        new FieldSpec<AuthorizeConfig, AuthorizationServiceConfig?>("service", "An HTTP service that is asked where no rule decides. Left out: none.",
            Service!, c => c.Service, (c, v) => c with { Service = v }) { OtherNames = ["forwardAuth", "authRequest", "extAuthz", "externalAuth", "http"] },
        new FieldSpec<AuthorizeConfig, RedisPermissionConfig?>("redis", "What is looked up in Redis where no rule decides. Left out: nothing.",
            Redis!, c => c.Redis, (c, v) => c with { Redis = v }),
        new FieldSpec<AuthorizeConfig, int>("unauthenticated", "Status for a request that nobody is known to be behind, where it could matter who is: 401 or 403.",
            new CountSpec(new NumberRange(401, 403), AuthorizationRanges.Unauthenticated), c => c.Unauthenticated, (c, v) => c with { Unauthenticated = v }) { OtherNames = ["unauthenticatedStatus"] },
        new FieldSpec<AuthorizeConfig, bool>("dryRun", "Whether it only says what it would refuse, in the record and on the meter.",
            new FlagSpec(), c => c.DryRun, (c, v) => c with { DryRun = v }) { OtherNames = ["shadow", "reportOnly"] });
}
