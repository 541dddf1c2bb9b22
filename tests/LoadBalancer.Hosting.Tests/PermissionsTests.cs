using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

/// <summary>A host gives policies the configuration's Redis, a real one.</summary>
[TestFixture, Parallelizable(ParallelScope.All), CancelAfter(60_000)]
public sealed class PermissionsTests
{
    [Test]
    public async Task APolicyOfAHostLooksPermissionsUpInItsRedis(CancellationToken cancellationToken)
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram redis = await PeerServers.StartRedisAsync(port, cancellationToken);
        await SetAsync(port, "perm:/open", cancellationToken);
        using IHost host = Build(port);
        await host.StartAsync(cancellationToken);
        EndPoint endPoint = host.Services.GetRequiredService<ProxyServer>().Endpoints["web"];
        using var client = new HttpClient();
        Assert.That(await StatusOfAsync("/open"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusOfAsync("/closed"), Is.EqualTo(HttpStatusCode.Forbidden));
        await SetAsync(port, "perm:/closed", cancellationToken);
        Assert.That(await StatusOfAsync("/closed"), Is.EqualTo(HttpStatusCode.OK), "nothing is kept without a cache");
        await host.StopAsync(cancellationToken);

        async Task<HttpStatusCode> StatusOfAsync(string path)
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri($"http://{endPoint}{path}"), cancellationToken);
            return response.StatusCode;
        }
    }

    [Test]
    public async Task AHostStartsWithoutItsRedis_AndNobodyIsLetThrough(CancellationToken cancellationToken)
    {
        using IHost host = Build(SystemProgram.FreePort());
        await host.StartAsync(cancellationToken);
        EndPoint endPoint = host.Services.GetRequiredService<ProxyServer>().Endpoints["web"];
        using var client = new HttpClient();
        using HttpResponseMessage response = await client.GetAsync(new Uri($"http://{endPoint}/open"), cancellationToken);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        await host.StopAsync(cancellationToken);
    }

    private static IHost Build(int redisPort)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLoadBalancer(new ProxyConfig
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = "127.0.0.1:0" } },
            Redis = new RedisConfig { Endpoints = [$"127.0.0.1:{redisPort}"], Secret = "0123456789abcdef" },
            Policies = new Dictionary<string, PolicyConfig> { ["permitted"] = new AuthorizeConfig { Redis = new RedisPermissionConfig { Key = "perm:{path}", Timeout = TimeSpan.FromSeconds(10) } } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Policies = ["permitted"], Respond = new() { Body = "open" } } },
        });
        return builder.Build();
    }

    // RESP by hand: one command, one answer.
    private static async Task SetAsync(int port, string key, CancellationToken cancellationToken)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"SET {key} allow\r\n"), cancellationToken);
        byte[] answer = new byte[5];
        await client.GetStream().ReadExactlyAsync(answer, cancellationToken);
        Assert.That(answer, Is.EqualTo("+OK\r\n"u8.ToArray()));
    }
}
