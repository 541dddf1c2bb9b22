using System.Diagnostics;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Etcd;
using LoadBalancer.Discovery.Remote;
using LoadBalancer.Discovery.Sources;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Destinations from a real etcd. It needs etcd.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(90_000)]
public sealed class EtcdTests
{
    private readonly DiscoveryWatch _watch = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task KeysComeChangeAndGo()
    {
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(Token);
        await etcd.PutAsync("/s/api/a", "127.0.0.1:80", Token);
        await etcd.PutAsync("/s/api2/b", "127.0.0.9:80", Token);
        ProxyConfig config = Config(etcd.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.Source, look.Destinations, look.Problem), Is.EqualTo(("etcd /s/api/", 1, (string?)null)));

        await etcd.PutAsync("/s/api/b", """{ "address": "127.0.0.2:80", "weight": 3 }""", Token);
        await _watch.NextAsync(l => l.Destinations == 2, Token);
        Assert.That(proxy.MembersOf("app"), Is.EquivalentTo(new[] { "a", "b" }));

        await etcd.PutAsync("/s/api/b", "unix:/run/lb/admin.sock", Token);
        look = await _watch.NextAsync(Token);
        Assert.That((look.Destinations, look.IsChanged, look.Problem), Is.EqualTo((2, false, "/s/api/b: the address is a socket of this machine, which etcd cannot know of")), "what it said before holds");

        await etcd.DeleteAsync("/s/api/b", Token);
        look = await _watch.NextAsync(l => l.IsChanged, Token);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((1, (string?)null)));
        Assert.That(proxy.MembersOf("app"), Is.EqualTo(new[] { "a" }));

        await etcd.DeleteAsync("/s/api/a", Token);
        Assert.That((await _watch.NextAsync(Token)).Destinations, Is.Zero, "no key is no destination");
    }

    [Test]
    public async Task TheCommandsOfTheDocumentMakeDestinations()
    {
        SystemProgram.Require("etcdctl");
        string document = Repository.Read("docs/discovery.md");
        string script = document.Split("```sh\n").Single(part => part.StartsWith("etcdctl", StringComparison.Ordinal)).Split("```")[0];
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(Token);
        // The last one keeps its lease until it is ended.
        var start = new ProcessStartInfo("bash", ["-c", $"set -euo pipefail\n{script}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ETCDCTL_ENDPOINTS"] = $"http://{etcd.Address}";
        start.Environment["ETCDCTL_API"] = "3";
        using Process shell = Process.Start(start)!;
        try
        {
            string said = "";
            while (!said.Contains("keepalived", StringComparison.Ordinal) && await shell.StandardOutput.ReadLineAsync(Token) is { } line) said += $"{line}\n";
            if (!said.Contains("keepalived", StringComparison.Ordinal)) Assert.Fail(said + await shell.StandardError.ReadToEndAsync(Token));
            const string Prefix = "/services/cart/";
            Assert.That(document, Does.Contain($"\"prefix\": \"{Prefix}\""));
            using var source = new EtcdSource(new EtcdConfig { Endpoints = [etcd.Address], Prefix = Prefix }, new DiscoverConfig(), TimeProvider.System);
            SourceReading reading = await source.ReadAsync(Token);
            Assert.That((reading.Problem, string.Join(' ', reading.Destinations!.OrderBy(one => one.Key).Select(one => $"{one.Key}={one.Value.Address},{one.Value.Weight},{one.Value.Zone}"))),
                Is.EqualTo(((string?)null, "web-1=10.0.0.5:8080,1, web-2=10.0.0.6:8080,2,eu-1a web-3=10.0.0.7:8080,1,")));
        }
        finally
        {
            if (!shell.HasExited) shell.Kill(entireProcessTree: true);
        }
    }

    [Test]
    public async Task EtcdMayBeAwayAtTheStartAndLater()
    {
        await using var etcd = new EtcdServer();
        ProxyConfig config = Config($"127.0.0.1:{SystemProgram.FreePort()}", etcd.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((0, $"{config.Clusters["app"].Discover[0].Etcd!.Endpoints[0]}: Connection refused; {etcd.Address}: Connection refused")));
        Assert.That(look.NextIn, Is.LessThanOrEqualTo(TimeSpan.FromMilliseconds(100)));

        await etcd.StartAsync(Token);
        await _watch.NextAsync(l => l.Problem is null, Token);
        await etcd.PutAsync("/s/api/a", "127.0.0.1:80", Token);
        await _watch.NextAsync(l => l.Destinations == 1, Token);

        await etcd.StopAsync();
        look = await _watch.NextAsync(l => l.Problem is not null, Token);
        Assert.That((look.Destinations, look.IsChanged), Is.EqualTo((1, false)));
        await etcd.StartAsync(Token);
        await etcd.PutAsync("/s/api/b", "127.0.0.2:80", Token);
        await _watch.NextAsync(l => l.Destinations == 2, Token);
        Assert.That(proxy.MembersOf("app"), Is.EquivalentTo(new[] { "a", "b" }));
    }

    [Test]
    public async Task ManyKeysAreReadPageByPage()
    {
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(Token);
        const int Count = 2345, AtOnce = 100; // of operations in a transaction
        for (int i = 0; i < Count; i += AtOnce)
        {
            IEnumerable<string> puts = Enumerable.Range(i, Math.Min(AtOnce, Count - i)).Select(n => $"{{\"request_put\":{{\"key\":\"{EtcdServer.Base64($"/s/api/{n}")}\",\"value\":\"{EtcdServer.Base64($"10.0.{n / 250}.{n % 250 + 1}:80")}\"}}}}");
            await etcd.PostAsync("kv/txn", $"{{\"success\":[{string.Join(',', puts)}]}}", Token);
        }
        using var range = new EtcdRange(EtcdAccess.Of(new EtcdConfig { Endpoints = [etcd.Address], Prefix = "/s/api/" }), "/s/api/", isPrefix: true, new EtcdBounds(10_000, 100, 1 << 20), TimeSpan.FromMinutes(1), TimeProvider.System);
        await range.NextAsync(Token);
        Assert.That(range.Keys, Has.Count.EqualTo(Count));
        await etcd.DeleteAsync("/s/api/7", Token);
        await range.NextAsync(Token);
        Assert.That(range.Keys, Has.Count.EqualTo(Count - 1));
    }

    [Test]
    public async Task AWatchFromWhatWasCompactedSaysSo()
    {
        await using var etcd = new EtcdServer();
        await etcd.StartAsync(Token);
        for (int i = 0; i < 5; i++) await etcd.PutAsync("/s/api/a", $"127.0.0.1:8{i}", Token);
        await etcd.PostAsync("kv/compaction", "{\"revision\":\"5\"}", Token);
        using var session = new EtcdSession(EtcdAccess.Of(new EtcdConfig { Endpoints = [etcd.Address], Prefix = "/s/api/" }), 0, new EtcdBounds(10, 100, 1 << 20), TimeProvider.System);
        using JsonLines watch = await session.WatchAsync("/s/api/a"u8.ToArray(), null, 2, Token);
        string said = "";
        while (!said.Contains("\"compact_revision\":\"5\"", StringComparison.Ordinal))
        {
            IReadOnlyList<byte[]> lines = await watch.ReadAsync(Token);
            Assert.That(lines, Is.Not.Empty, said);
            said += string.Concat(lines.Select(System.Text.Encoding.UTF8.GetString));
        }
        Assert.That(said, Does.Contain("\"canceled\":true"), "EtcdFaultTests has the answer to it");
    }

    [Test]
    public async Task PasswordAndTls()
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority("Another");
        await using var etcd = new EtcdServer(authority.IssueFile(["127.0.0.1"]));
        await etcd.StartAsync(Token);
        await etcd.PutAsync("/s/api/a", "127.0.0.1:80", Token);
        await etcd.PostAsync("auth/user/add", """{"name":"root","password":"r"}""", Token);
        await etcd.PostAsync("auth/user/grant", """{"user":"root","role":"root"}""", Token);
        await etcd.PostAsync("auth/role/add", """{"name":"reader"}""", Token);
        await etcd.PostAsync("auth/role/grant", $$$"""{"name":"reader","perm":{"permType":"READ","key":"{{{EtcdServer.Base64("/s/api/")}}}","range_end":"{{{EtcdServer.Base64("/s/api0")}}}"}}""", Token);
        await etcd.PostAsync("auth/user/add", """{"name":"lb","password":"secret"}""", Token);
        await etcd.PostAsync("auth/user/grant", """{"user":"lb","role":"reader"}""", Token);
        await etcd.PostAsync("auth/enable", "{}", Token);

        var good = new EtcdConfig { Endpoints = [etcd.Address], Prefix = "/s/api/", User = "lb", Password = "secret", Tls = new() { Ca = authority.Root } };
        Assert.That(await TryAsync(good), Is.EqualTo("1 keys"));
        Assert.That(await TryAsync(good with { Password = "wrong" }), Does.EndWith("etcdserver: authentication failed, invalid user ID or password"));
        Assert.That(await TryAsync(good with { User = null, Password = null }), Does.Contain("user name is empty"));
        Assert.That(await TryAsync(good with { Prefix = "/t/" }), Does.EndWith("etcdserver: permission denied"));
        Assert.That(await TryAsync(good with { Tls = new() { Ca = other.Root } }), Does.Contain("is not trusted"));
        Assert.That(await TryAsync(good with { Tls = new() { Ca = authority.Root, ServerName = "etcd.internal" } }), Does.Contain("is not trusted"), "the certificate is for 127.0.0.1");
        Assert.That(await TryAsync(good with { Tls = new() { Verify = false } }), Is.EqualTo("1 keys"));
        Assert.That(await TryAsync(good with { Tls = null }), Does.Contain(etcd.Address));
    }

    private static async Task<string> TryAsync(EtcdConfig config)
    {
        using var range = new EtcdRange(EtcdAccess.Of(config), config.Prefix, isPrefix: true, new EtcdBounds(10, 100, 1 << 20), TimeSpan.FromMinutes(1), TimeProvider.System);
        try
        {
            await range.NextAsync(Token);
            return $"{range.Keys.Count} keys";
        }
        catch (ApiException e)
        {
            return e.Message;
        }
    }

    private FleetDiscovery Discovery(ProxyFixture proxy, ProxyConfig config) => new(proxy.Server, config, NullLoggerFactory.Instance, new DiscoveryOptions { Observer = _watch });

    private static ProxyConfig Config(params string[] endpoints)
    {
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto);
        var discover = new DiscoverConfig { Etcd = new() { Endpoints = endpoints, Prefix = "/s/api/" }, IntervalMin = TimeSpan.FromMilliseconds(100) };
        return config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Discover = [discover] } } };
    }
}
