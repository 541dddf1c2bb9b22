using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Another people's name server: what we and our own might both have misunderstood. It needs dnsmasq.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class DnsmasqTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb").FullName;
    private readonly int _port = SystemProgram.FreePort();
    private readonly FakeTimeProvider _time = new();
    private readonly DiscoveryWatch _watch = new();
    private RunningProgram? _dnsmasq;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [TearDown]
    public async Task RemoveAsync()
    {
        if (_dnsmasq is not null) await _dnsmasq.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task AddressesComeGoAndOutliveTheNameServer()
    {
        await ServeAsync("host-record=api.internal,127.0.0.1,7", "host-record=api.internal,127.0.0.2,::1,7");
        ProxyConfig config = Config(new DiscoverConfig { Dns = "api.internal:80", Resolver = $"127.0.0.1:{_port}" });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That(look.Problem, Is.Null);
        Assert.That(proxy.MembersOf("app"), Is.EquivalentTo(new[] { "127.0.0.1:80", "127.0.0.2:80", "[::1]:80" }));
        Assert.That(look.NextIn.TotalSeconds, Is.EqualTo(7));

        await _dnsmasq!.DisposeAsync();
        look = await NextAsync(look);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((3, $"api.internal is not answered: 127.0.0.1:{_port}: Connection refused")));

        await ServeAsync("host-record=api.internal,127.0.0.3,7");
        await NextAsync(look);
        Assert.That(proxy.MembersOf("app"), Is.EqualTo(new[] { "127.0.0.3:80" }));
    }

    [Test]
    public async Task ServicesAndALargeAnswer()
    {
        await ServeAsync([
            "srv-host=_http._tcp.api.internal,a.internal,8080,10,5", "srv-host=_http._tcp.api.internal,b.internal,8081,20,0",
            "host-record=a.internal,127.0.0.1,9", "host-record=b.internal,127.0.0.2,9", "cname=big.internal,large.internal",
            .. Enumerable.Range(1, 200).Select(i => $"host-record=large.internal,127.0.1.{i},9")]);
        ProxyConfig config = Config(new DiscoverConfig { Srv = "_http._tcp.api.internal", Resolver = $"127.0.0.1:{_port}" }, new DiscoverConfig { Dns = "big.internal:80", Resolver = $"127.0.0.1:{_port}" });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord[] looks = [await _watch.NextAsync(Token), await _watch.NextAsync(Token)];
        Assert.That(looks.Select(l => l.Problem), Is.All.Null);
        Assert.That(looks.Select(l => (l.Source, l.Destinations)), Is.EquivalentTo(new[] { ("srv _http._tcp.api.internal", 2), ("dns big.internal:80", 200) }));
        Assert.That(proxy.MembersOf("app"), Is.SupersetOf(new[] { "127.0.0.1:8080", "127.0.0.2:8081", "127.0.1.1:80", "127.0.1.200:80" }));
    }

    private async Task ServeAsync(params string[] records)
    {
        string dnsmasq = SystemProgram.Require("dnsmasq");
        await File.WriteAllLinesAsync($"{_folder}/conf", ["no-daemon", "no-resolv", "no-hosts", "no-ping", "bind-interfaces", "listen-address=127.0.0.1", $"port={_port}", "local=/internal/", "user=", "pid-file=", .. records], Token);
        _dnsmasq = await SystemProgram.StartAsync(dnsmasq, _port, Token, $"--conf-file={_folder}/conf");
    }

    private async Task<DiscoveryRecord> NextAsync(DiscoveryRecord last)
    {
        _time.Advance(last.NextIn);
        return await _watch.NextAsync(Token);
    }

    private FleetDiscovery Discovery(ProxyFixture proxy, ProxyConfig config) =>
        new(proxy.Server, config, NullLoggerFactory.Instance, new DiscoveryOptions { Observer = _watch, TimeProvider = _time });

    private static ProxyConfig Config(params DiscoverConfig[] discover)
    {
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto);
        return config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Discover = discover } } };
    }
}
