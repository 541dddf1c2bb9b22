using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary><c>/bans</c></summary>
[TestFixture, Parallelizable(ParallelScope.All), CancelAfter(30_000)]
public sealed class BanTests
{
    private const string Epoch = "2026-11-01T00:00:00+00:00";

    private static async Task<AdminFixture> StartAsync(FakeTimeProvider? time = null)
    {
        await using ScriptedOrigin origin = AdminFixture.Named("a");
        return await AdminFixture.StartAsync(TransportKind.Auto, time, destinations: origin.Address);
    }

    [Test]
    public async Task ABanIsMadeListedChangedAndEnded()
    {
        var time = new FakeTimeProvider(DateTimeOffset.Parse(Epoch, System.Globalization.CultureInfo.InvariantCulture));
        await using AdminFixture admin = await StartAsync(time);
        Answer made = await admin.SendAsync("PUT", "/bans/192.0.2.0%2F24", """{"for": "10m", "reason": "scans"}""");
        Assert.That(made.Status, Is.EqualTo(201), made.Body);
        Assert.That(made.Json.GetProperty("block").GetString(), Is.EqualTo("192.0.2.0/24"));
        Assert.That(made.Json.GetProperty("until").GetString(), Is.EqualTo("2026-11-01T00:10:00+00:00"));
        Assert.That((await admin.SendAsync("PUT", "/bans/192.0.2.0%2F24", """{"for": "0"}""")).Status, Is.EqualTo(200));
        Assert.That((await admin.SendAsync("PUT", "/bans/2001:db8::7")).Status, Is.EqualTo(201)); // an hour where nothing is said

        JsonElement list = (await admin.SendAsync("GET", "/bans")).Json;
        Assert.That(list.GetProperty("max").GetInt32(), Is.EqualTo(100_000));
        JsonElement[] bans = [.. list.GetProperty("bans").EnumerateArray()];
        Assert.That(bans.Select(ban => ban.GetProperty("block").GetString()), Is.EqualTo(new[] { "192.0.2.0/24", "2001:db8::7" }));
        Assert.That(bans[0].TryGetProperty("until", out _), Is.False);
        Assert.That(bans[1].GetProperty("until").GetString(), Is.EqualTo("2026-11-01T01:00:00+00:00"));
        time.Advance(TimeSpan.FromHours(1));
        Assert.That((await admin.SendAsync("GET", "/bans")).Json.GetProperty("bans").GetArrayLength(), Is.EqualTo(1));

        Assert.That((await admin.SendAsync("DELETE", "/bans/192.0.2.0%2F24")).Status, Is.EqualTo(204));
        Answer again = await admin.SendAsync("DELETE", "/bans/192.0.2.0%2F24");
        Assert.That((again.Status, again.Detail), Is.EqualTo((404, "there is no ban of exactly 192.0.2.0/24")));
    }

    [TestCase("nobody", "", 400, "\"nobody\" is no address or block")]
    [TestCase("192.0.2.7%2F24", "", 400, "has bits set after its prefix")]
    [TestCase("0.0.0.0%2F0", "", 409, "is wider than /8 of IPv4 or /16 of IPv6; \"force\": true bans it all the same")]
    [TestCase("::%2F0", "", 409, "is wider than")]
    [TestCase("192.0.2.7", "[]", 400, "the body is no JSON object")]
    [TestCase("192.0.2.7", "{\"for\": \"soon\"}", 400, "for: expected a time from")]
    [TestCase("192.0.2.7", "{\"for\": \"366d\"}", 400, "for: expected a time from")]
    [TestCase("192.0.2.7", "{\"reason\": \"a\\nb\"}", 400, "reason: expected a text")]
    [TestCase("192.0.2.7", "{\"force\": 1}", 400, "force: expected true or false")]
    [TestCase("192.0.2.7", "{\"fro\": \"1h\"}", 400, "fro: is unknown; did you mean \"for\"?")]
    public async Task WhatCannotBeBannedSaysWhy(string block, string body, int status, string says)
    {
        await using AdminFixture admin = await StartAsync();
        Answer answer = await admin.SendAsync("PUT", $"/bans/{block}", body.Length == 0 ? null : body);
        Assert.That(answer.Status, Is.EqualTo(status));
        Assert.That(answer.Detail, Does.Contain(says));
        Assert.That(admin.Proxy.Server.Bans, Is.Empty);
    }

    [Test]
    public async Task EverythingIsBannedByForce()
    {
        await using AdminFixture admin = await StartAsync();
        Assert.That((await admin.SendAsync("PUT", "/bans/0.0.0.0%2F0", """{"force": true}""")).Status, Is.EqualTo(201));
        Assert.That((await admin.SendAsync("DELETE", "/bans/0.0.0.0%2F0")).Status, Is.EqualTo(204)); // the admin listener asks nobody's address
    }
}
