using System.Net.Sockets;
using System.Text.Json;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary><c>lb limits show</c>, as an operator runs it.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class LimitShowTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    private string Admin => Path.Combine(_directory, "admin.sock");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(60_000)]
    public async Task WhatTheLimitsOfARunningBalancerHaveRefusedIsShown(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), $$"""
            {
              "listeners": { "web": { "address": "unix:{{_directory}}/web.sock" } },
              "limits": { "per-client": { "rate": "2/h", "burst": 2, "key": ["ip", "path"] }, "trial": { "concurrency": 5, "dryRun": true } },
              "routes": { "all": { "respond": { "body": "ok" }, "limits": ["per-client", "trial"] }, "app": { "path": "/app", "cluster": "app" } },
              "clusters": { "app": { "destinations": {}, "concurrency": { "min": 5, "max": 50 } } },
              "admin": "unix:{{Admin}}",
            }
            """, cancellationToken);
        using LbProcess lb = LbProcess.Start(_directory, "run");
        await lb.LineAsync("Ready.", cancellationToken);
        using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint($"{_directory}/web.sock"), cancellationToken);
        foreach (int status in new[] { 200, 200, 429 })
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", cancellationToken);
            Assert.That(await client.ReadResponseAsync(cancellationToken), Does.StartWith($"HTTP/1.1 {status} "));
        }
        LbResult all = await LimitsAsync("show");
        Assert.That((all.ExitCode, all.Error), Is.EqualTo((0, "")));
        Assert.That(all.Output, Is.EqualTo("""
            LIMIT       QUOTA         KEY        ROUTES  ALLOWED  REFUSED  DRY RUN
            per-client  2/h, burst 2  ip + path  all     2        1        no
            trial       5 at a time   everybody  all     2        0        yes

            CLUSTER  LIMIT         REQUESTS  ALLOWED  REFUSED  DRY RUN
            app      50 (5 to 50)  0         0        0        no

            """));
        LbResult one = await LimitsAsync("show", "per-client", "--json");
        JsonElement json = JsonDocument.Parse(one.Output).RootElement;
        Assert.That((json.GetProperty("name").GetString(), json.GetProperty("allowed").GetInt32(), json.GetProperty("refused").GetInt32()), Is.EqualTo(("per-client", 2, 1)));
        LbResult none = await LimitsAsync("show", "per-clint");
        Assert.That((none.ExitCode, none.Error.TrimEnd()), Is.EqualTo((1, "lb: there is no limit \"per-clint\"; did you mean \"per-client\"?")));
    }

    private Task<LbResult> LimitsAsync(params string[] arguments) =>
        LbProcess.RunAsync(_directory, TestContext.CurrentContext.CancellationToken, ["limits", .. arguments, "--admin", $"unix:{Admin}"]);
}
