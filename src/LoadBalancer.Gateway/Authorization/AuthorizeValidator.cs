using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Gateway.Authorization.Roles;

namespace LoadBalancer.Gateway.Authorization;

/// <summary>Checks an <see cref="AuthorizeConfig"/>; its rules are the <see cref="Rules.AccessRuleValidator"/>'s.</summary>
internal static class AuthorizeValidator
{
    internal static void Validate(AuthorizeConfig config, PolicyProblems problems)
    {
        if (config.Rules.Count == 0 && config.Service is null && config.Redis is null) problems.Add("", "decides nothing; expected \"rules\", \"service\" or \"redis\"");
        if (config.Service is not null && config.Redis is not null) problems.Add("redis", "stands beside \"service\"; expected one of them: put the other in a policy of its own");
        if (!AuthorizationRanges.Unauthenticated.Contains(config.Unauthenticated)) problems.Add("unauthenticated", $"{config.Unauthenticated} is out of range; expected 401 or 403");
        if (config.RolesClaim.Length == 0) problems.Add("rolesClaim", "is empty; expected the name of a claim");
        if (config.PermissionsClaim.Length == 0) problems.Add("permissionsClaim", "is empty; expected the name of a claim");
        Rules.AccessRuleValidator.Validate(config.Rules, problems);
        Roles(config, problems);
        if (config.Service is { } service) Service(service, problems);
        if (config.Redis is { } redis) Redis(config, redis, problems);
    }

    private static void Roles(AuthorizeConfig config, PolicyProblems problems)
    {
        foreach ((string name, RoleConfig role) in config.Roles)
        {
            string path = ConfigPath.Member("roles", name);
            if (name.Length == 0) problems.Add(path, "the name of a role is empty");
            for (int i = 0; i < role.Permissions.Count; i++) if (role.Permissions[i].Length == 0) problems.Add($"{path}.permissions[{i}]", "is empty");
        }
        if (string.IsNullOrEmpty(config.RolesFile))
        {
            if (new RoleTable(config.Roles).FindProblem() is { } problem) problems.Add(problem.Role.Length == 0 ? "roles" : ConfigPath.Member("roles", problem.Role), problem.Problem);
        }
        else if (!WholeFile.TryRead(config.RolesFile, RoleFile.BytesMax, out byte[]? content, out string error) || !RoleSource.TryRead(content, config.Roles, out _, out error))
            problems.Add("rolesFile", $"the file {CharacterText.Quote(config.RolesFile)} {error}");
    }

    private static void Service(AuthorizationServiceConfig config, PolicyProblems problems)
    {
        problems.Cluster("service.cluster", config.Cluster);
        if (!config.Path.StartsWith('/') || config.Path.AsSpan().ContainsAnyExceptInRange('!', '~') || config.Path.Contains('#', StringComparison.Ordinal))
            problems.Add("service.path", $"{CharacterText.Quote(config.Path)} is no path; expected \"/\", and what is no path character percent-encoded");
        if (!HttpSyntax.IsToken(config.Method) || config.Method is "CONNECT" or "TRACE") problems.Add("service.method", $"{CharacterText.Quote(config.Method)} is no method that can be sent");
        problems.Range("service.timeout", config.Timeout, AuthorizationRanges.Timeout);
        problems.Range("service.bodyBytesMax", config.BodyBytesMax, AuthorizationRanges.BodyBytesMax);
        for (int i = 0; i < config.RequestHeaders.Count; i++)
        {
            string name = config.RequestHeaders[i], path = $"service.requestHeaders[{i}]";
            if (HeaderName(path, name, problems) && name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase))
                problems.Add(path, $"\"{name}\" is set by the balancer itself; what a client writes there is not sent on");
        }
        for (int i = 0; i < config.ResponseHeaders.Count; i++) HeaderName($"service.responseHeaders[{i}]", config.ResponseHeaders[i], problems);
        Cache("service", config.Cache, config.OnError, config.StaleFor, problems);
        if (config.Cache is not { Key.Count: > 0 } cache) return;
        bool saysWho = false, saysMore = false;
        for (int i = 0; i < cache.Key.Count; i++)
        {
            string text = cache.Key[i], path = $"service.cache.key[{i}]";
            if (!DecisionKeyPart.TryParse(text, out DecisionKeyPart? part)) problems.Add(path, $"{CharacterText.Quote(text)} is no part of a key; expected one of {string.Join(", ", DecisionKeyPart.Examples)}");
            else
            {
                saysWho |= part.SaysWho;
                saysMore |= part.SaysWho && !part.IsAddress;
            }
            if (cache.Key.Take(i).Contains(text)) problems.Add(path, $"{CharacterText.Quote(text)} is given twice");
        }
        if (!saysWho) problems.Add("service.cache.key", "does not tell clients apart, so that what one may do all could; add \"header:Authorization\", a cookie, a claim or \"ip\"");
        // Many stand behind one address, and the service has decided by more than that.
        else if (!saysMore && config.RequestHeaders.Count > 0)
            problems.Add("service.cache.key", $"tells clients apart by their address alone, while the service is told {string.Join(" and ", config.RequestHeaders)} of them: what one may do all behind that address could; add \"header:Authorization\", a cookie or a claim, or have none sent with \"requestHeaders\": []");
    }

    private static void Redis(AuthorizeConfig config, RedisPermissionConfig redis, PolicyProblems problems)
    {
        if (problems.Config.Redis is null && config.Permissions is null) problems.Add("redis", "there is no \"redis\" in the configuration that could be asked");
        if (KeyTemplate.Parse(redis.Key, out string? problem) is null) problems.Add("redis.key", $"{CharacterText.Quote(redis.Key)} {problem}");
        if (redis.Member is { } member && KeyTemplate.Parse(member, out problem) is null) problems.Add("redis.member", $"{CharacterText.Quote(member)} {problem}");
        if (redis.Member is not null && redis.Value.Count > 0) problems.Add("redis.member", "stands beside \"value\"; expected one of them: a key is a set or has a value");
        problems.Range("redis.timeout", redis.Timeout, AuthorizationRanges.Timeout);
        Cache("redis", redis.Cache, redis.OnError, redis.StaleFor, problems);
        if (redis.Cache is not { } cache) return;
        if (cache.Key.Count > 0) problems.Add("redis.cache.key", "has no effect: a decision of Redis depends on what is asked");
        if (cache.UseCacheControl) problems.Add("redis.cache.useCacheControl", "has no effect: Redis has no Cache-Control");
    }

    private static void Cache(string path, DecisionCacheConfig? cache, LookupFailure onError, TimeSpan staleFor, PolicyProblems problems)
    {
        problems.Range($"{path}.staleFor", staleFor, AuthorizationRanges.StaleFor);
        if (cache is null)
        {
            if (onError == LookupFailure.Stale) problems.Add($"{path}.onError", "\"stale\" needs a \"cache\": without one there is no last decision");
            return;
        }
        problems.Range($"{path}.cache.for", cache.For, AuthorizationRanges.For);
        problems.Range($"{path}.cache.deniedFor", cache.DeniedFor, AuthorizationRanges.For);
        problems.Range($"{path}.cache.bytesMax", cache.BytesMax, AuthorizationRanges.CacheBytesMax);
    }

    private static bool HeaderName(string path, string name, PolicyProblems problems)
    {
        if (!HttpSyntax.IsToken(name)) problems.Add(path, $"{CharacterText.Quote(name)} is no header name; expected letters, digits and \"-\"");
        else if (HeaderFields.IsConnections(Encoding.ASCII.GetBytes(name)) || name.Equals("host", StringComparison.OrdinalIgnoreCase)) problems.Add(path, $"\"{name}\" is set by the balancer itself");
        else return true;
        return false;
    }
}
