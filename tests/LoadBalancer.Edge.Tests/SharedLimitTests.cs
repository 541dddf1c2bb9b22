using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>Two balancers that share a limit by a real Redis.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class SharedLimitTests : IDisposable
{
    private const int Burst = 40;
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test, CancelAfter(120_000)]
    public async Task WhatOneHasLetThroughTheOtherDoesNot(CancellationToken cancellationToken)
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram redis = await PeerServers.StartRedisAsync(port, cancellationToken);
        int first = SystemProgram.FreePort(), second = SystemProgram.FreePort();
        using LbProcess a = await RunAsync("a", first, port, cancellationToken), b = await RunAsync("b", second, port, cancellationToken);
        foreach (LbProcess lb in new[] { a, b }) await lb.ErrorLineAsync("limits are shared", cancellationToken);
        using var client = new HttpClient();
        int atFirst = 0;
        while (await AskAsync(client, first, cancellationToken) == 200) atFirst++;
        Assert.That(atFirst, Is.InRange(1, Burst));
        // The other hears of it with the first request of that client.
        int atSecond = 0;
        while (await AskAsync(client, second, cancellationToken) == 200)
        {
            atSecond++;
            // Some time for the word to come, as an operator's command takes it.
            await LbProcess.RunAsync(_directory, cancellationToken, ["version"]);
        }
        Assert.That(atSecond, Is.LessThan(Burst / 2));

        // Redis goes: each limits alone, and nobody fails.
        await redis.KillAsync();
        await b.ErrorLineAsync("limits are not shared", cancellationToken);
        Assert.That(await AskAsync(client, second, cancellationToken), Is.EqualTo(429));
        Assert.That(await AskAsync(client, second, cancellationToken, "other"), Is.EqualTo(200));
    }

    private async Task<LbProcess> RunAsync(string name, int port, int redis, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, $"{name}.json"), $$"""
            {
              "listeners": { "web": { "address": "127.0.0.1:{{port}}" } },
              "limits": { "per-client": { "rate": "1/h", "burst": {{Burst}}, "key": "header:X-Client", "shared": true } },
              "redis": { "endpoints": "127.0.0.1:{{redis}}", "secret": "a secret of a good length" },
              "routes": { "all": { "respond": { "body": "ok" }, "limits": "per-client" } },
              "admin": "off"
            }
            """, cancellationToken);
        LbProcess lb = LbProcess.Start(_directory, "run", "--config", $"{name}.json");
        await lb.LineAsync("Ready.", cancellationToken);
        return lb;
    }

    private static async Task<int> AskAsync(HttpClient client, int port, CancellationToken cancellationToken, string who = "one")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}/"));
        request.Headers.Add("X-Client", who);
        using HttpResponseMessage response = await client.SendAsync(request, cancellationToken);
        return (int)response.StatusCode;
    }
}
