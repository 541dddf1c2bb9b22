using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>Destinations are seen, registered, removed and drained while requests run.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class DestinationsTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task ARegisteredServerGetsRequestsUntilItIsRemoved()
    {
        await using ScriptedOrigin one = AdminFixture.Named("one"), two = AdminFixture.Named("two");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: one.Address);
        Answer answer = await lb.PutAsync("web-2", $$"""{"address": "{{two.Address}}", "weight": 2, "lease": "1m"}""");
        Assert.That(answer.Status, Is.EqualTo(201), answer.Body);
        Assert.That(answer.Head, Does.Contain("\r\nLocation: /clusters/app/destinations/web-2\r\n"));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "one", "two" }));
        Assert.That((await lb.SendAsync("DELETE", "/clusters/app/destinations/web-2")).Status, Is.EqualTo(204));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "one" }));
        Assert.That((await lb.SendAsync("DELETE", "/clusters/app/destinations/web-2")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task ARepeatedRegistrationRenewsChangesOrReplaces()
    {
        await using ScriptedOrigin one = AdminFixture.Named("one"), two = AdminFixture.Named("two");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        Assert.That((await lb.PutAsync("a", $$"""{"address": "{{one.Address}}"}""")).Status, Is.EqualTo(201));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "one" }));
        Assert.That((await lb.PutAsync("a", $$"""{"address": "{{one.Address}}"}""")).Status, Is.EqualTo(200));
        Assert.That((await lb.PutAsync("a", $$"""{"address": "{{one.Address}}", "weight": 7, "tier": 1, "zone": "z", "requestsMax": 9}""")).Status, Is.EqualTo(200));
        JsonElement shown = (await lb.SendAsync("GET", "/clusters/app/destinations/a")).Json;
        Assert.That((shown.GetProperty("weight").GetInt32(), shown.GetProperty("tier").GetInt32(), shown.GetProperty("zone").GetString(), shown.GetProperty("requestsMax").GetInt32()), Is.EqualTo((7, 1, "z", 9)));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "one" }));
        Assert.That(one.Connections, Is.EqualTo(1), "what stays keeps its connection");
        Assert.That((await lb.PutAsync("a", $$"""{"address": "{{two.Address}}"}""")).Status, Is.EqualTo(200));
        Assert.That((await lb.SendAsync("GET", "/clusters/app/destinations/a")).Json.GetProperty("address").GetString(), Is.EqualTo(two.Address));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "two" }));
    }

    [Test]
    public async Task AServerThatIsRemovedFinishesWhatItHas([Values("DELETE", "POST")] string method)
    {
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        await using var leaving = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            asked.SetResult();
            await answer.Task;
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast", token);
        });
        await using ScriptedOrigin other = AdminFixture.Named("other");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        await lb.PutAsync("a", $$"""{"address": "{{leaving.Address}}"}""");
        using RawClient client = await lb.Proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await asked.Task.WaitAsync(Token);
        await lb.PutAsync("b", $$"""{"address": "{{other.Address}}"}""");
        Assert.That((await lb.SendAsync("GET", "/clusters/app/destinations/a")).Json.GetProperty("outstanding").GetInt32(), Is.EqualTo(1));
        Answer removed = await lb.SendAsync(method, "/clusters/app/destinations/a" + (method == "POST" ? ":drain" : ""));
        Assert.That(removed.Status, Is.EqualTo(method == "POST" ? 200 : 204));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "other" }));
        answer.SetResult();
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("last"));
    }

    [Test]
    public async Task AnyDestinationCanBeDrainedAndEnabled()
    {
        await using ScriptedOrigin one = AdminFixture.Named("one"), two = AdminFixture.Named("two");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: one.Address);
        await lb.PutAsync("10.0.0.5:80", $$"""{"address": "{{two.Address}}"}""");
        Answer drained = await lb.SendAsync("POST", "/clusters/app/destinations/d0:drain");
        Assert.That(drained.Status, Is.EqualTo(200));
        Assert.That(drained.Json.GetProperty("reasons").EnumerateArray().Select(r => r.GetString()), Is.EqualTo(new[] { "draining" }));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "two" }));
        Assert.That((await lb.SendAsync("POST", "/clusters/app/destinations/10.0.0.5:80:drain")).Status, Is.EqualTo(200));
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "503" }));
        await lb.PutAsync("10.0.0.5:80", $$"""{"address": "{{two.Address}}", "weight": 3}""");
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "503" }), "a renewal is no reason to use it");
        Assert.That((await lb.SendAsync("POST", "/clusters/app/destinations/10.0.0.5%3A80:enable")).Json.GetProperty("usable").GetBoolean(), Is.True);
        Assert.That(await lb.AnswersAsync(), Is.EqualTo(new[] { "two" }));
        Assert.That((await lb.SendAsync("POST", "/clusters/app/destinations/nobody:drain")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task ClustersAndDestinationsAreListed()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: "127.0.0.1:1");
        await lb.PutAsync("w", """{"address": "127.0.0.1:2", "lease": "10s"}""");
        JsonElement[] clusters = [.. (await lb.SendAsync("GET", "/clusters")).Json.GetProperty("clusters").EnumerateArray()];
        Assert.That(clusters.Select(c => $"{c.GetProperty("name")} {c.GetProperty("registration")} {c.GetProperty("destinations")} {c.GetProperty("usable")}"),
            Is.EqualTo(new[] { "app True 2 2", "closed False 1 1" }));
        JsonElement[] destinations = [.. (await lb.SendAsync("GET", "/clusters/app/destinations")).Json.GetProperty("destinations").EnumerateArray()];
        Assert.That(destinations.Select(d => $"{d.GetProperty("name")} {d.GetProperty("address")} {d.GetProperty("source")} {d.TryGetProperty("lease", out _)}"),
            Is.EqualTo(new[] { "d0 127.0.0.1:1 configuration False", "w 127.0.0.1:2 registration True" }));
        Assert.That(destinations[1].GetProperty("expiresAt").GetDateTimeOffset(), Is.EqualTo(DateTimeOffset.UtcNow.AddSeconds(10)).Within(TimeSpan.FromSeconds(10)));
    }

    [TestCase("PUT", "/clusters/closed/destinations/a", """{"address": "127.0.0.1:1"}""", 403, "set \"registration\": true")]
    [TestCase("PUT", "/clusters/ap/destinations/a", """{"address": "127.0.0.1:1"}""", 404, "there is no cluster \"ap\"; did you mean \"app\"?")]
    [TestCase("PUT", "/clusters/app/destinations/d0", """{"address": "127.0.0.1:1"}""", 409, "\"d0\" is a destination of the cluster already, from configuration")]
    [TestCase("PUT", "/clusters/app/destinations/a%20b", """{"address": "127.0.0.1:1"}""", 400, "\"a b\" is no name; expected letters")]
    [TestCase("PUT", "/clusters/app/destinations/a%2fb", """{"address": "127.0.0.1:1"}""", 400, "\"a/b\" is no name")]
    [TestCase("PUT", "/clusters/app/destinations/%00", """{"address": "127.0.0.1:1"}""", 400, "")]
    [TestCase("PUT", "/clusters/app/destinations/..", """{"address": "127.0.0.1:1"}""", 400, "is no name: clients take it for a folder")]
    [TestCase("PUT", "/clusters/app/destinations/a", null, 400, "there is no body; expected {\"address\"")]
    [TestCase("PUT", "/clusters/app/destinations/a", "{", 400, "the body is no JSON, or has a name twice: line 1")]
    [TestCase("PUT", "/clusters/app/destinations/a", "[]", 400, "the body is no JSON object")]
    [TestCase("PUT", "/clusters/app/destinations/a", "{}", 400, "address: is missing; expected a string such as")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": 5}""", 400, "address: expected a string")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "localhost"}""", 400, "address: \"localhost\" has no port")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "h:1", "weight": 0}""", 400, "weight: 0 is out of range; expected 1 to 1000")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "h:1", "weight": 1.5}""", 400, "weight: expected a whole number")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "h:1", "weigth": 1}""", 400, "weigth: is unknown; did you mean \"weight\"?")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "h:1", "address": "h:2"}""", 400, "the body is no JSON")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "\ud800:1"}""", 400, "address: expected a string")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"\ud800": 1, "address": "h:1"}""", 400, "")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "h:1", "lease": "500ms"}""", 400, "lease: 500ms is out of range; expected 1s to 1h")]
    [TestCase("PUT", "/clusters/app/destinations/a", """{"address": "h:1", "lease": 30}""", 400, "lease: expected a time from \"1s\" to \"1h\"")]
    [TestCase("DELETE", "/clusters/app/destinations/d0", null, 409, "\"d0\" is not registered: it comes from configuration")]
    [TestCase("GET", "/clusters/app/destinations/nobody", null, 404, "cluster \"app\" has no destination \"nobody\"")]
    [TestCase("GET", "/clusters/app/", null, 404, "there is nothing at \"/clusters/app/\"")]
    public async Task WhatCannotBeDoneIsRefusedWithTheReason(string method, string path, string? body, int status, string detail)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: "127.0.0.1:1");
        Answer answer = await lb.SendAsync(method, path, body);
        Assert.That(answer.Status, Is.EqualTo(status), answer.Body);
        Assert.That(answer.Head, Does.Contain("\r\nContent-Type: application/problem+json\r\n"));
        Assert.That((answer.Json.GetProperty("status").GetInt32(), answer.Detail), Is.EqualTo((status, answer.Detail)));
        Assert.That(answer.Detail, Does.Contain(detail));
        Assert.That((await lb.SendAsync("GET", "/clusters/app/destinations")).Json.GetProperty("destinations").GetArrayLength(), Is.EqualTo(1), "nothing has changed");
    }

    [Test]
    public async Task EveryFaultOfABodyIsListed()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        Answer answer = await lb.PutAsync("a", """{"address": "x", "weight": 0, "tier": "1", "lease": "9h", "wait": 1}""");
        Assert.That(answer.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("field").GetString()),
            Is.EquivalentTo(new[] { "address", "weight", "tier", "lease", "wait" }));
    }

    [Test]
    public async Task ReadyTellsWhetherRequestsAreTakenAndLiveThatTheProcessIs()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        Assert.That((await lb.SendAsync("GET", "/ready")).Status, Is.EqualTo(200));
        await lb.Proxy.Server.StopAsync(Token);
        Assert.That((await lb.SendAsync("GET", "/ready")).Status, Is.EqualTo(503));
        Assert.That((await lb.SendAsync("GET", "/live")).Status, Is.EqualTo(200));
    }
}
