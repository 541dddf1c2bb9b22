using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting;
using LoadBalancer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Acme.Tests;

/// <summary>ACME in a generic host, as AddLoadBalancer sets it up.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class HostingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-acme-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly AcmeWatch _watch = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task TheStartWaitsForNoAuthority()
    {
        using IHost host = Build(new() { AgreeToTerms = true, Directory = $"https://localhost:{SystemProgram.FreePort()}/dir", Storage = $"{_folder}/acme" });
        await host.StartAsync(Token);
        Assert.That(host.Services.GetRequiredService<ProxyServer>().IsServing, Is.True);
        Assert.That((await _watch.NextAsync(_time, Token)).Failure, Is.EqualTo(AcmeFailure.Unreachable));
        await host.StopAsync(Token);
    }

    [Test]
    public async Task AStorageThatCannotBeWrittenFailsTheStart()
    {
        await File.WriteAllTextAsync($"{_folder}/file", "", Token);
        using IHost host = Build(new() { AgreeToTerms = true, Storage = $"{_folder}/file/acme" });
        Assert.That(async () => await host.StartAsync(Token), Throws.InstanceOf<IOException>().With.Message.StartsWith("acme.storage: "));
        await host.StopAsync(Token);
    }

    private IHost Build(AcmeConfig acme)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IAcmeObserver>(_watch);
        builder.Services.AddLoadBalancer(options =>
        {
            options.TimeProvider = _time;
            options.Forward("127.0.0.1:0");
            options.Config = options.Config with
            {
                Acme = acme,
                Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = "127.0.0.1:0", Tls = new() { Acme = ["www.lb.test"] } } },
            };
        });
        return builder.Build();
    }
}
