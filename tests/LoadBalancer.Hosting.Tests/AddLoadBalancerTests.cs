using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>The balancer in a generic host.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class AddLoadBalancerTests
{
    [Test, CancelAfter(30_000)]
    public async Task StartedHost_ServesAndReportsToTheObserver(CancellationToken cancellationToken)
    {
        var observer = new RecordingObserver();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<ICompletionObserver>(observer);
        builder.Services.AddLoadBalancer(options => options.Config = Responding("127.0.0.1:0"));
        using IHost host = builder.Build();
        await host.StartAsync(cancellationToken);

        EndPoint endPoint = host.Services.GetRequiredService<ProxyServer>().Endpoints["web"];
        using var client = new HttpClient();
        string body = await client.GetStringAsync(new Uri($"http://{endPoint}/"), cancellationToken);
        Assert.That(body, Is.EqualTo("embedded"));
        Assert.That(await observer.First.WaitAsync(cancellationToken), Is.EqualTo(EndReason.Responded));
        await host.StopAsync(cancellationToken);
        Assert.That(async () => await client.GetStringAsync(new Uri($"http://{endPoint}/"), cancellationToken), Throws.InstanceOf<HttpRequestException>());
    }

    [Test, CancelAfter(30_000)]
    public async Task AddressInUse_FailsTheStartWithOneLine(CancellationToken cancellationToken)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLoadBalancer(Responding(taken.LocalEndpoint.ToString()!));
        using IHost host = builder.Build();
        ListenException? e = Assert.ThrowsAsync<ListenException>(() => host.StartAsync(cancellationToken));
        Assert.That(e!.Message, Is.EqualTo($"listener 'web': cannot listen on {taken.LocalEndpoint}: the address is in use by another process"));
        await host.StopAsync(cancellationToken);
    }

    [Test]
    public void AddLoadBalancer_Twice_Throws()
    {
        var services = new ServiceCollection();
        services.AddLoadBalancer(new ProxyConfig());
        Assert.That(() => services.AddLoadBalancer(new ProxyConfig()), Throws.InvalidOperationException);
    }

    [Test]
    public void AddLoadBalancerFromFile_BadFile_ThrowsWithEveryProblem()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "{ \"listeners\": {}, \"x\": 1 }");
            ConfigFileException? e = Assert.Throws<ConfigFileException>(() => new ServiceCollection().AddLoadBalancerFromFile(path));
            Assert.That(e!.Problems.Select(p => (p.Line, p.Column, p.Path)), Is.EqualTo(new[] { (1, 16, "listeners"), (1, 20, "x") }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void Forward_MakesAValidConfiguration()
    {
        var options = new LoadBalancerOptions();
        options.Forward(":8080", "localhost:5000", "localhost:5001");
        Assert.That(ConfigValidator.Validate(options.Config), Is.Empty);
        Assert.That(options.Config.Clusters["all"].Destinations.Keys, Is.EqualTo(new[] { "localhost:5000", "localhost:5001" }));
    }

    private static ProxyConfig Responding(string address) => new()
    {
        Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = address } },
        Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Respond = new() { Body = "embedded" } } },
    };

    private sealed class RecordingObserver : ICompletionObserver
    {
        private readonly TaskCompletionSource<EndReason> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<EndReason> First => _first.Task;

        public void OnCompleted(CompletionRecord record) => _first.TrySetResult(record.Reason);
    }
}
