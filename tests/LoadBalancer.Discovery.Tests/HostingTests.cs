using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting;
using LoadBalancer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>Discovery in a generic host, as AddLoadBalancer sets it up.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class HostingTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly DiscoveryWatch _watch = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task AMissingFileStartsWith503AndIsUsedWhenItComes()
    {
        await using var origin = new EchoOrigin();
        using IHost host = Build(new DiscoverConfig { File = $"{_folder}/fleet.json" });
        await host.StartAsync(Token);
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That(look.Problem, Does.EndWith("fleet.json does not exist"));
        Assert.That(await StatusAsync(host), Is.EqualTo(HttpStatusCode.ServiceUnavailable));

        await File.WriteAllTextAsync($"{_folder}/fleet.json", $"[\"{origin.Address}\"]", Token);
        _time.Advance(look.NextIn);
        Assert.That((await _watch.NextAsync(Token)).Destinations, Is.EqualTo(1));
        Assert.That(await StatusAsync(host), Is.EqualTo(HttpStatusCode.OK));

        await File.WriteAllTextAsync($"{_folder}/fleet.json", "[\"", Token);
        _time.Advance(look.NextIn);
        Assert.That((await _watch.NextAsync(Token)).Problem, Does.Contain("not valid JSON"));
        Assert.That(await StatusAsync(host), Is.EqualTo(HttpStatusCode.OK));
        await host.StopAsync(Token);
    }

    [Test]
    public async Task ASilentNameServerDelaysTheStartByASecondAndNoMore()
    {
        await using var dns = new DnsOrigin(_ => []);
        using IHost host = Build(new DiscoverConfig { Dns = "api.internal:80", Resolver = dns.Address });
        Task starting = host.StartAsync(Token);
        await dns.NextAsync(Token);
        Assert.That(starting.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(1)); // of the two that the look-up waits, twice
        await starting;
        Assert.That(await StatusAsync(host), Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        await host.StopAsync(Token);
    }

    [Test]
    public async Task AnAnswerInTimeIsThereForTheFirstRequest()
    {
        await using var origin = new EchoOrigin();
        await using var dns = new DnsOrigin(q => [q.Addresses(5, "127.0.0.1")]);
        using IHost host = Build(new DiscoverConfig { Dns = $"api.internal:{((IPEndPoint)origin.EndPoint).Port}", Resolver = dns.Address });
        await host.StartAsync(Token);
        Assert.That(await StatusAsync(host), Is.EqualTo(HttpStatusCode.OK));
        await host.StopAsync(Token);
    }

    private IHost Build(DiscoverConfig discover)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IDiscoveryObserver>(_watch);
        builder.Services.AddLoadBalancer(options =>
        {
            options.TimeProvider = _time;
            options.Forward("127.0.0.1:0");
            options.Config = options.Config with { Clusters = new Dictionary<string, ClusterConfig> { ["all"] = new() { Discover = [discover] } } };
        });
        return builder.Build();
    }

    private static async Task<HttpStatusCode> StatusAsync(IHost host)
    {
        using var client = new HttpClient();
        using HttpResponseMessage response = await client.GetAsync(new Uri($"http://{host.Services.GetRequiredService<ProxyServer>().Endpoints["web"]}/"), Token);
        return response.StatusCode;
    }
}
