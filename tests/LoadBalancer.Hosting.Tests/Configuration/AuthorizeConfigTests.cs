using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

/// <summary>The authorize policy: how it is written, and what is wrong with it.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AuthorizeConfigTests
{
    private static ConfigReadResult Read(string authorize, string more = "") => ReadTests.Parse($$"""
        { "listeners": { "web": { "address": ":80" } }, "clusters": { "app": { "destinations": { "a": "127.0.0.1:1" } } }, "addressLists": { "office": "10.0.0.0/8" }, {{more}}
          "policies": { "may": { "authorize": {{authorize}} } }, "routes": { "r": { "cluster": "app", "policies": "may" } } }
        """);

    private static string[] Problems(string authorize, string more = "") => [.. Read(authorize, more).Problems.Select(problem => $"{problem.Path.Replace("policies.may.authorize", "", StringComparison.Ordinal)}: {problem.Message}")];

    private static AuthorizeConfig Config(string authorize, string more = "")
    {
        ConfigReadResult result = Read(authorize, more);
        Assert.That(result.Problems, Is.Empty);
        return (AuthorizeConfig)result.Config!.Policies["may"];
    }

    [Test]
    public void TheDocumentsExampleIsRead()
    {
        string example = Repository.Read("docs/authorization.md").Split("```jsonc\n")[1].Split("```")[0];
        ConfigReadResult result = ReadTests.Parse(example);
        Assert.That(result.Problems, Is.Empty);
        Assert.That(result.Config!.Policies.Values.OfType<AuthorizeConfig>().Count(), Is.EqualTo(3));
    }

    [Test]
    public void ShortFormsAreRead()
    {
        AuthorizeConfig config = Config("""
            { "rules": [
                { "allow": "GET", "path": "/users/{id}", "claims": { "sub": "{id}", "tenant": ["a", "b"], "mail": true, "suspended": false, "group": { "prefix": "x-" } } },
                { "allow": ["PUT", "POST"], "roles": "admin", "clients": ["office", "192.0.2.0/24"], "authenticated": true },
                { "deny": "*", "path": "/admin/**" } ],
              "roles": { "reader": "a:read", "writer": ["a:write"], "admin": { "includes": ["reader", "writer"] } },
              "rolesClaim": "realm_access.roles", "service": "app", "unauthenticated": 403, "dryRun": true }
            """);
        Assert.That(config.Rules[0].Claims.Select(claim => (claim.Key, string.Join(',', claim.Value.Is), string.Join(',', claim.Value.Prefix), claim.Value.Present)), Is.EqualTo(new[]
        {
            ("sub", "{id}", "", (bool?)null), ("tenant", "a,b", "", null), ("mail", "", "", true), ("suspended", "", "", false), ("group", "", "x-", null),
        }));
        Assert.That((config.Rules[1].Allow, config.Rules[1].Roles, config.Rules[1].Clients, config.Rules[1].Authenticated), Is.EqualTo((new[] { "PUT", "POST" }, new[] { "admin" }, new[] { "office", "192.0.2.0/24" }, true)));
        Assert.That((config.Rules[2].Deny, config.Rules[2].Authenticated), Is.EqualTo((new[] { "*" }, (bool?)null)));
        Assert.That(config.Roles["admin"].Includes, Is.EqualTo(new[] { "reader", "writer" }));
        Assert.That((config.Roles["reader"].Permissions, config.Roles["writer"].Permissions), Is.EqualTo((new[] { "a:read" }, new[] { "a:write" })));
        Assert.That((config.RolesClaim, config.Service!.Cluster, config.Service.Timeout, config.Unauthenticated, config.DryRun), Is.EqualTo(("realm_access.roles", "app", TimeSpan.FromSeconds(1), 403, true)));
    }

    [Test]
    public void LookUpsAreRead()
    {
        AuthorizationServiceConfig service = Config("""{ "service": { "cluster": "app", "path": "/check", "method": "POST", "requestHeaders": [], "responseHeaders": "X-User", "timeout": "2s", "cache": { "for": "30s", "deniedFor": 0, "key": ["path", "header:Authorization"], "bytesMax": "1MiB" }, "onError": "stale", "staleFor": "1h" } }""").Service!;
        Assert.That((service.Path, service.Method, service.RequestHeaders.Count, service.OnError, service.Cache!.For, service.Cache.DeniedFor, service.Cache.BytesMax), Is.EqualTo(("/check", "POST", 0, LookupFailure.Stale, TimeSpan.FromSeconds(30), TimeSpan.Zero, 1L << 20)));
        const string Redis = """ "redis": { "endpoints": "r:6379", "secret": "0123456789abcdef" }, """;
        RedisPermissionConfig redis = Config("""{ "redis": { "key": "perms:{claim:sub}", "member": "{method}:{path}", "cache": true } }""", Redis).Redis!;
        Assert.That((redis.Key, redis.Member, redis.Cache), Is.EqualTo(("perms:{claim:sub}", "{method}:{path}", new DecisionCacheConfig { Key = redis.Cache!.Key })));
        Assert.That(Config("""{ "redis": "perm:{path}" }""", Redis).Redis!.Key, Is.EqualTo("perm:{path}"));
    }

    [TestCase("{}", ": decides nothing; expected \"rules\", \"service\" or \"redis\"")]
    [TestCase("""{ "rules": {} }""", ".rules[0]: has no effect; expected \"allow\" or \"deny\" with methods, or \"*\" for all")]
    [TestCase("""{ "rules": { "allow": "GET", "deny": "*" } }""", ".rules[0]: has both \"allow\" and \"deny\"; expected one of them")]
    [TestCase("""{ "rules": { "allow": "get" } }""", ".rules[0].allow[0]: \"get\": methods are in upper case; did you mean \"GET\"?")]
    [TestCase("""{ "rules": { "allow": "*", "path": "users" } }""", ".rules[0].path[0]: \"users\" does not start with \"/\"; did you mean \"/users\"?")]
    [TestCase("""{ "rules": { "allow": "*", "claims": { "sub": "{id}" } } }""", ".rules[0].claims.sub: {id} is a variable of the path, but the rule has no \"path\"; expected one such as \"/users/{id}\"")]
    [TestCase("""{ "rules": { "allow": "*", "path": "/users/{user}", "claims": { "sub": "{id}" } } }""", ".rules[0].claims.sub: {id} is a variable of the path, but the rule's path has no such segment; expected one such as \"/users/{id}\"")]
    [TestCase("""{ "rules": { "allow": "*", "claims": { "sub": {} } } }""", ".rules[0].claims.sub: asks for nothing; expected values, \"prefix\", or true for any")]
    [TestCase("""{ "rules": { "allow": "*", "claims": { "age": 7 } } }""", ".rules[0].claims.age: expected a value or a list of them as strings, true, false, or an object, found the number 7")]
    [TestCase("""{ "rules": { "allow": "*", "authenticated": false, "roles": "a" } }""", ".rules[0].authenticated: is false beside conditions on who it is: the rule never matches")]
    [TestCase("""{ "rules": { "allow": "*", "clients": "ofice" } }""", ".rules[0].clients[0]: \"ofice\" is neither an address block nor the name of an address list; did you mean \"office\"?")]
    [TestCase("""{ "rules": { "allow": "*", "group": "a" } }""", ".rules[0].group: unknown key \"group\"; did you mean \"roles\"?")]
    [TestCase("""{ "rules": [ { "deny": "*" }, { "allow": "GET" } ] }""", ".rules[1]: is never asked: rules[0] before it decides about everything")]
    [TestCase("""{ "rules": { "allow": "*", "roles": "a" }, "roles": { "a": { "includes": "b" }, "b": { "includes": "a" } } }""", ".roles.a: includes itself: a > b > a")]
    [TestCase("""{ "rules": { "allow": "*", "roles": "a" }, "rolesFile": "/no/such/file" }""", ".rolesFile: the file \"/no/such/file\" does not exist")]
    [TestCase("""{ "service": "ap" }""", ".service.cluster: there is no cluster \"ap\"; did you mean \"app\"?")]
    [TestCase("""{ "service": { "cluster": "app", "requestHeaders": "X-Forwarded-For" } }""", ".service.requestHeaders[0]: \"X-Forwarded-For\" is set by the balancer itself; what a client writes there is not sent on")]
    [TestCase("""{ "service": { "cluster": "app", "responseHeaders": "Host" } }""", ".service.responseHeaders[0]: \"Host\" is set by the balancer itself")]
    [TestCase("""{ "service": { "cluster": "app", "onError": "stale" } }""", ".service.onError: \"stale\" needs a \"cache\": without one there is no last decision")]
    [TestCase("""{ "service": { "cluster": "app", "cache": { "key": ["path", "ip"] } } }""", ".service.cache.key: tells clients apart by their address alone, while the service is told Authorization and Cookie of them: what one may do all behind that address could; add \"header:Authorization\", a cookie or a claim, or have none sent with \"requestHeaders\": []")]
    [TestCase("""{ "service": { "cluster": "app", "cache": { "key": ["path", "method"] } } }""", ".service.cache.key: does not tell clients apart, so that what one may do all could; add \"header:Authorization\", a cookie, a claim or \"ip\"")]
    [TestCase("""{ "service": { "cluster": "app", "cache": { "for": "2h" } } }""", ".service.cache.for: 2h is out of range; expected 0 (none), or 1ms to 1h")]
    [TestCase("""{ "redis": "perm:{path}" }""", ".redis: there is no \"redis\" in the configuration that could be asked")]
    [TestCase("""{ "rules": { "allow": "*" }, "unauthenticated": 402 }""", ".unauthenticated: 402 is out of range; expected 401 or 403")]
    public void WhatIsWrongIsSaid(string authorize, string problem) => Assert.That(Problems(authorize), Is.EqualTo(new[] { problem }));

    [Test]
    public void ARedisThatOnlyAPolicyAsksIsNeeded() => Assert.That(Problems("""{ "rules": { "allow": "*" } }""", """ "redis": { "endpoints": "r:6379", "secret": "0123456789abcdef" }, """),
        Is.EqualTo(new[] { "redis: has no effect without a limit that is \"shared\" or a policy that asks Redis" }));
}
