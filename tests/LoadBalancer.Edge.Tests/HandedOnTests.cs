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
}
