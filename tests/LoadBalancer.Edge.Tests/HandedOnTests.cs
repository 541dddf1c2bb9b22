using System.Net;
using LoadBalancer.Edge.Upgrading;
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
        await lb.ErrorLineAsync("[1911]", Token); // the next process writes to the same place
        Assert.That(await AskAsync("/caches"), Does.Contain("\"disk\": {"));
        await UpgradeAsync();
    }

    [Test]
    public async Task WhatIsAnsweredAsDoneUntilTheEndGoesOn()
    {
        Write("""
            "routes": { "all": { "cluster": "app" } }, "clusters": { "app": { "registration": true, "destinations": { "a": "127.0.0.1:1", "b": "127.0.0.1:2" } } },
            """);
        using LbProcess lb = await StartAsync();
        Assert.That(await TellAsync(HttpMethod.Post, "/clusters/app/destinations/a:drain"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await TellAsync(HttpMethod.Put, "/bans/192.0.2.1", "{}"), Is.EqualTo(HttpStatusCode.Created));
        using HandoverClient next = HandoverClient.Take($"{AdminPath}.upgrade"); // this process is the next one, and takes its time
        HandoverState first = next.State;
        HttpStatusCode[] told =
        [
            await TellAsync(HttpMethod.Post, "/clusters/app/destinations/a:enable"), await TellAsync(HttpMethod.Post, "/clusters/app/destinations/b:drain"),
            await TellAsync(HttpMethod.Delete, "/bans/192.0.2.1"), await TellAsync(HttpMethod.Put, "/bans/192.0.2.2", "{}"),
            await TellAsync(HttpMethod.Put, "/clusters/app/destinations/own", """{ "address": "127.0.0.1:3" }"""),
        ];
        Assert.That(told.Select(status => (int)status), Is.All.InRange(200, 299));
        Assert.That(await TellAsync(HttpMethod.Post, "/reload"), Is.EqualTo(HttpStatusCode.ServiceUnavailable), "the next process has read the configuration");
        await lb.SignalAsync("HUP", Token);
        await lb.ErrorLineAsync("[5109]", Token);
        Assert.That(next.Serving("test"), Is.True);
        Assert.That((first.Drained.Single().Destination, first.Bans.Single().Block, first.Registrations.Count), Is.EqualTo(("a", "192.0.2.1", 0)));
        HandoverState last = next.State;
        Assert.That((last.Drained.Single().Destination, last.Bans.Single().Block, last.Registrations.Single().Id), Is.EqualTo(("b", "192.0.2.2", "own")));
        Assert.That(await lb.ExitAsync(Token), Is.Zero);
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
