using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>What the server is, who is connected to it, and where a request would go.</summary>
[TestFixture(TransportKind.Epoll), TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All), CancelAfter(60_000)]
public sealed class ServerTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task StatusTellsStateListenersAndTheHashOfTheConfiguration()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        JsonElement status = (await lb.SendAsync("GET", "/status")).Json;
        Assert.That(status.GetProperty("state").GetString(), Is.EqualTo("serving"));
        JsonElement listener = status.GetProperty("listeners")[0];
        Assert.That((listener.GetProperty("name").GetString(), listener.GetProperty("bound").GetString(), listener.GetProperty("protocol").GetString()), Is.EqualTo(("main", lb.Proxy.EndPoint.ToString(), "http")));
        Answer config = await lb.SendAsync("GET", "/config");
        string hash = status.GetProperty("configHash").GetString()!;
        Assert.That(config.Head, Does.Contain($"\r\nETag: \"{hash}\"\r\n"));
        Assert.That((await lb.SendAsync("GET", "/config", fields: $"If-None-Match: \"{hash}\"\r\n")).Status, Is.EqualTo(304));
        Assert.That((await lb.SendAsync("GET", "/config", fields: "If-None-Match: \"other\"\r\n")).Status, Is.EqualTo(200));
        await lb.Proxy.Server.StopAsync(Token);
        Assert.That((await lb.SendAsync("GET", "/status")).Json.GetProperty("state").GetString(), Is.EqualTo("stopped"));
        Assert.That((await lb.SendAsync("GET", "/events")).Body, Does.Contain("\"serverDraining\""));
    }

    [Test]
    public async Task ConnectionsTellWhoIsThereAndWhatTheyDo()
    {
        var asked = new TaskCompletionSource();
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            asked.SetResult();
            await connection.ReadToEndAsync(token);
        });
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: origin.Address, change: config => config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes) { ["own"] = new() { Path = "/own", Respond = new() { Body = "x" } } },
        });
        using RawClient idle = await lb.Proxy.ConnectAsync(Token), busy = await lb.Proxy.ConnectAsync(Token);
        await idle.SendAsync("GET /own HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await idle.ReadResponseAsync(Token);
        await busy.SendAsync("GET /slow?token=secret HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await asked.Task.WaitAsync(Token);
        await lb.Proxy.TurnAsync(Token);
        JsonElement list = (await lb.SendAsync("GET", "/connections?listener=main&source=127.0.0.0/8")).Json;
        Assert.That((list.GetProperty("open").GetInt32(), list.GetProperty("truncated").GetBoolean()), Is.EqualTo((2, false)));
        Dictionary<string, JsonElement> byClient = list.GetProperty("connections").EnumerateArray().ToDictionary(one => one.GetProperty("client").GetString()!);
        JsonElement one = byClient[busy.LocalEndPoint.ToString()!], other = byClient[idle.LocalEndPoint.ToString()!];
        Assert.That($"{one.GetProperty("state")} {one.GetProperty("method")} {one.GetProperty("target")} {one.GetProperty("route")} {one.GetProperty("cluster")} {one.GetProperty("destination")} {one.GetProperty("requests")}",
            Is.EqualTo("waiting GET /slow all app d0 1"));
        Assert.That($"{other.GetProperty("state")} {other.GetProperty("requests")}", Is.EqualTo("idle 1"));
        Assert.That((await lb.SendAsync("GET", "/connections?limit=1")).Json.GetProperty("truncated").GetBoolean(), Is.True);
        Assert.That((await lb.SendAsync("GET", "/connections?source=192.0.2.0/24")).Json.GetProperty("connections").GetArrayLength(), Is.Zero);
        Assert.That((await lb.SendAsync("GET", "/connections?listener=other")).Json.GetProperty("connections").GetArrayLength(), Is.Zero);
        Assert.That((await lb.SendAsync("GET", "/connections?source=nonsense")).Detail, Does.StartWith("\"source\": \"nonsense\""));
    }

    [Test]
    public async Task AnExplanationTellsTheWayOfARequestAndChangesNothing()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: ["127.0.0.1:1", "127.0.0.1:2"], cluster: config => config with { Balance = "least-outstanding" }, change: config => config with
        {
            Limits = new Dictionary<string, LimitConfig> { ["per-client"] = new() { Rate = "1/h" } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["api"] = new() { Hosts = ["api.example"], Path = "/v1/**", Methods = ["GET"], Split = new Dictionary<string, int> { ["app"] = 3, ["closed"] = 1 }, Limits = new Dictionary<string, int> { ["per-client"] = 1 } },
                ["old"] = new() { Path = "/old", Redirect = new() { To = "/new" } },
            },
        });
        JsonElement told = (await lb.SendAsync("GET", "/explain?url=http%3A%2F%2Fapi.example%2Fv1%2Fx")).Json;
        Assert.That($"{told.GetProperty("listener")} {told.GetProperty("route")} {told.GetProperty("path")} {told.GetProperty("limits")[0]} {told.GetProperty("outcome")}", Is.EqualTo("main api /v1/** per-client forwards"));
        JsonElement app = told.GetProperty("clusters")[0];
        Assert.That((app.GetProperty("name").GetString(), app.GetProperty("percent").GetDouble(), app.GetProperty("destinations").GetArrayLength()), Is.EqualTo(("app", 75, 2)));
        Assert.That(app.GetProperty("destinations")[0].GetProperty("score").GetDouble(), Is.Zero);
        Assert.That((await lb.SendAsync("GET", "/explain?url=http://api.example/v1/x&method=POST")).Json.TryGetProperty("route", out _), Is.False);
        Assert.That((await lb.SendAsync("GET", "/explain?url=http://h/old")).Json.GetProperty("outcome").GetString(), Is.EqualTo("redirects to /new (308)"));
        Assert.That((await lb.SendAsync("GET", "/explain?url=nonsense")).Status, Is.EqualTo(400));
        Assert.That((await lb.SendAsync("GET", "/explain?url=http://h/old&listener=mian")).Detail, Does.Contain("did you mean \"main\"?"));
        Assert.That((await lb.SendAsync("GET", "/limits/per-client")).Json.GetProperty("allowed").GetInt64(), Is.Zero);
        Assert.That(lb.Proxy.Server.DescribeTraffic().Destinations.Sum(one => one.ByOutcome.Sum()), Is.Zero);
    }

    [Test]
    public async Task ScoresTellWhatBalancingKnows([Values("latency-weighted", "peak-ewma", "least-time", "power-of-two", "least-outstanding", "round-robin")] string balance)
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: origin.Address, cluster: config => config with { Balance = balance });
        await lb.AnswersAsync();
        JsonElement shown = (await lb.SendAsync("GET", "/clusters/app/destinations/d0")).Json;
        Assert.That(shown.TryGetProperty("score", out _), Is.EqualTo(balance != "round-robin"));
        if (balance is "latency-weighted" or "peak-ewma") Assert.That(shown.GetProperty("latencyMilliseconds").GetDouble(), Is.Positive);
        Assert.That((shown.GetProperty("picked").GetBoolean(), shown.GetProperty("connections").GetInt32()), Is.EqualTo((true, 1)));
    }

    [Test]
    public async Task TheDashboardHasWhatWasServedAndRefused()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: origin.Address, change: config => config with
        {
            Limits = new Dictionary<string, LimitConfig> { ["few"] = new() { Rate = "1/h", Burst = 10 } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["few"] = 1 } } },
        });
        await lb.AnswersAsync(); // 60
        await lb.Proxy.TurnAsync(Token);
        JsonElement data = (await lb.SendAsync("GET", "/dashboard.json")).Json;
        Assert.That(data.GetProperty("requests").GetProperty("byClass").EnumerateArray().Select(n => n.GetInt64()), Is.EqualTo(new long[] { 0, 0, 10, 0, 50, 0 }));
        Assert.That(data.GetProperty("requests").GetProperty("durations").EnumerateArray().Sum(n => n.GetInt64()), Is.EqualTo(60));
        Assert.That(data.GetProperty("ends").GetProperty("RateLimited").GetInt64(), Is.EqualTo(50));
        JsonElement refusal = data.GetProperty("refusals").EnumerateArray().Single();
        Assert.That($"{refusal.GetProperty("policy")} {refusal.GetProperty("reason")} {refusal.GetProperty("total")}", Is.EqualTo("few RateLimited 50"));
        JsonElement destination = data.GetProperty("clusters")[0].GetProperty("destinations")[0];
        Assert.That((destination.GetProperty("attempts").GetInt64(), destination.GetProperty("failures").GetInt64()), Is.EqualTo((10L, 0L)));
        Assert.That(data.GetProperty("events").EnumerateArray().Count(one => one.GetProperty("kind").GetString() == "refusals"), Is.EqualTo(1), "fifty refusals are one event");
        Assert.That((await lb.SendAsync("GET", $"/dashboard.json?since={data.GetProperty("lastEvent")}")).Json.GetProperty("events").GetArrayLength(), Is.Zero);
    }
}
