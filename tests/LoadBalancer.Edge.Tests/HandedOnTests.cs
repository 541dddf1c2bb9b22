using System.Net;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What a process knows, and has, goes on to the next.</summary>
[TestFixture]
public sealed class HandedOnTests : UpgradeFixture
{
    [Test]
    public async Task ACacheOnDiskGoesOn()
    {
        await using var origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 5\r\n\r\nhello");
        Write($$"""
            "caches": { "main": { "objectBytesMax": "1KiB", "disk": "cache" } },
            "routes": { "all": { "cluster": "app", "cache": "main" } }, "clusters": { "app": { "destinations": { "a": "{{origin.Address}}" } } },
            """);
        using LbProcess lb = await StartAsync();
        await UpgradeAsync();
        Assert.That(await GetAsync("/"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await lb.ExitAsync(Token), Is.Zero);
        await lb.ErrorLineAsync("[1902]", Token); // the next process writes to the same place
        Assert.That(await AskAsync("/caches"), Does.Contain("\"disk\": {"));
        await UpgradeAsync();
    }

    [Test]
    public async Task WhatIsDrainedAndFoundByDiscoveryStaysDrained()
    {
        await using var origin = new EchoOrigin();
        File.WriteAllText(Path.Combine(Folder, "fleet.json"), $$"""{ "found": "{{origin.Address}}", "other": "{{origin.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}}" }""");
        Write("""
            "routes": { "all": { "cluster": "app" } }, "clusters": { "app": { "discover": { "file": "fleet.json" } } },
            """);
        using LbProcess lb = await StartAsync();
        Assert.That(await TellAsync(HttpMethod.Post, "/clusters/app/destinations/found:drain"), Is.EqualTo(HttpStatusCode.OK).Or.EqualTo(HttpStatusCode.NoContent));
        for (int i = 0; i < 2; i++)
        {
            await UpgradeAsync();
            Assert.That(await AskAsync("/clusters/app/destinations/found"), Does.Contain("draining"));
            Assert.That(await AskAsync("/clusters/app/destinations/other"), Does.Not.Contain("draining"));
        }
    }
}
