using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests.Configuration;

[TestFixture]
public sealed class CacheConfigTests
{
    private const string Rest = """
        "listeners": { "web": { "address": ":80" } }, "clusters": { "app": { "destinations": { "a": "localhost:1" } } },
        """;

    private static ConfigReadResult Parse(string text) => ConfigFile.Parse(Encoding.UTF8.GetBytes($"{{ {Rest} {text} }}"), "/etc/lb/lb.json");

    [Test]
    public void EveryValueIsRead()
    {
        ConfigReadResult result = Parse("""
            "caches": { "main": { "memoryBytesMax": "32MiB", "objectBytesMax": "2MiB", "disk": { "path": "/var/cache/lb", "bytesMax": "4GiB", "objectBytesMax": "1GiB" } }, "other": { "disk": "/var/cache/other" } },
            "routes": { "a": { "cluster": "app", "path": "/a", "cache": { "in": "main", "query": "sorted", "queryIgnored": ["utm_*"], "keyHeaders": ["X-Tenant"], "keyCookies": "lang",
              "ttl": { "200": "10m", "404": "30s" }, "ttlOverrides": true, "staleWhileRevalidate": "1m", "staleIfError": "1d", "obeysClients": false, "collapseTimeout": 0, "statusField": false } },
              "b": { "cluster": "app", "path": "/b", "cache": "other" }, "c": { "cluster": "app", "path": "/c", "cache": { "in": "main", "query": "none" } }, "d": { "cluster": "app", "path": "/d", "cache": { "in": "main", "queryOnly": ["page"] } } }
            """);
        Assert.That(result.Problems, Is.Empty);
        ProxyConfig config = result.Config!;
        RouteCacheConfig cache = config.Routes["a"].Cache!;
        Assert.Multiple(() =>
        {
            Assert.That(config.Caches["main"], Is.EqualTo(new CacheConfig { MemoryBytesMax = 32 << 20, ObjectBytesMax = 2 << 20, Disk = new() { Path = "/var/cache/lb", BytesMax = 4L << 30, ObjectBytesMax = 1L << 30 } }));
            Assert.That(config.Caches["other"].Disk, Is.EqualTo(new CacheDiskConfig { Path = "/var/cache/other" }));
            Assert.That((cache.In, cache.Query, cache.TtlOverrides, cache.ObeysClients, cache.StatusField), Is.EqualTo(("main", CacheKeyQuery.Sorted, true, false, false)));
            Assert.That((cache.StaleWhileRevalidate, cache.StaleIfError, cache.CollapseTimeout), Is.EqualTo((TimeSpan.FromMinutes(1), TimeSpan.FromDays(1), TimeSpan.Zero)));
            Assert.That(cache.QueryIgnored, Is.EqualTo(new[] { "utm_*" }));
            Assert.That(cache.KeyHeaders, Is.EqualTo(new[] { "X-Tenant" }));
            Assert.That(cache.KeyCookies, Is.EqualTo(new[] { "lang" }));
            Assert.That(cache.Ttl, Is.EqualTo(new Dictionary<string, TimeSpan> { ["200"] = TimeSpan.FromMinutes(10), ["404"] = TimeSpan.FromSeconds(30) }));
            Assert.That(config.Routes["b"].Cache, Is.EqualTo(new RouteCacheConfig { In = "other", QueryIgnored = config.Routes["b"].Cache!.QueryIgnored }).Using<RouteCacheConfig>((x, y) => x.In == y.In));
            Assert.That(config.Routes["c"].Cache!.Query, Is.EqualTo(CacheKeyQuery.None));
            Assert.That(config.Routes["d"].Cache!.QueryOnly, Is.EqualTo(new[] { "page" }));
        });
    }

    [TestCase("""{ "main": {} }""", """{}""")]
    [TestCase("""{}""", """{}""", "routes.r.cache.in")]
    [TestCase("""{ "a": {}, "b": {} }""", """{}""", "routes.r.cache.in")]
    [TestCase("""{ "main": {} }""", """{ "in": "mian" }""", "routes.r.cache.in")]
    [TestCase("""{ "main": { "memoryBytesMax": "1MiB", "objectBytesMax": "2MiB" } }""", """{}""", "caches.main.objectBytesMax")]
    [TestCase("""{ "a": { "disk": "/x" }, "b": { "disk": "/x/" } }""", """{ "in": "a" }""", "caches.b.disk.path")]
    [TestCase("""{ "main": { "disk": { "path": "/x", "bytesMax": "2MiB", "objectBytesMax": "3MiB" } } }""", """{}""", "caches.main.disk.objectBytesMax")]
    [TestCase("""{ "main": {} }""", """{ "query": "none", "queryOnly": ["a"] }""", "routes.r.cache.query")]
    [TestCase("""{ "main": {} }""", """{ "queryIgnored": ["a*b", "", "x=y"] }""", "routes.r.cache.queryIgnored[0]", "routes.r.cache.queryIgnored[1]", "routes.r.cache.queryIgnored[2]")]
    [TestCase("""{ "main": {} }""", """{ "queryIgnored": ["a"], "queryOnly": ["b"] }""", "routes.r.cache.queryOnly")]
    [TestCase("""{ "main": {} }""", """{ "keyHeaders": ["a b", "x", "X"], "keyCookies": ["a;b"] }""", "routes.r.cache.keyHeaders[0]", "routes.r.cache.keyHeaders[2]", "routes.r.cache.keyCookies[0]")]
    [TestCase("""{ "main": {} }""", """{ "ttl": { "20x": "1s", "206": "1s" } }""", "routes.r.cache.ttl.20x", "routes.r.cache.ttl.206")]
    [TestCase("""{ "main": {} }""", """{ "ttlOverrides": true }""", "routes.r.cache.ttlOverrides")]
    public void ProblemsAreNamed(string caches, string cache, params string[] problems)
    {
        ConfigReadResult result = Parse($$"""
            "caches": {{caches}}, "routes": { "r": { "cluster": "app", "cache": {{cache}} } }
            """);
        Assert.That(result.Problems.Select(problem => problem.Path), Is.EqualTo(problems));
    }

    [Test]
    public void ARouteThatForwardsNothingHasNothingToCache() =>
        Assert.That(Parse("""
            "caches": { "main": {} }, "routes": { "r": { "respond": {}, "cache": {} } }
            """).Problems.Single().ToString(), Does.Contain("has no effect on a route that forwards nothing"));
}
