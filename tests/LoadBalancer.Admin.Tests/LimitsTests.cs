using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>What the limits have counted is seen.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class LimitsTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task LimitsAndWhatTheyHaveCountedAreListed()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, cluster: cluster => cluster with { Concurrency = new() { Min = 5, Max = 5 } }, destinations: origin.Address,
            change: config => config with
            {
                Limits = new Dictionary<string, LimitConfig>
                {
                    ["per client"] = new() { Rate = "2/h", Burst = 2, Key = ["ip", "path"], KeysMax = 1000 },
                    ["window"] = new() { Rate = "1/h", Algorithm = LimitAlgorithm.SlidingWindow, DryRun = true },
                    ["places"] = new() { Concurrency = 7 },
                },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Limits = new Dictionary<string, int> { ["per client"] = 1, ["window"] = 1 } } },
            });
        using RawClient client = await lb.Proxy.ConnectAsync(Token);
        for (int i = 0; i < 5; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await client.ReadResponseAsync(Token);
            await lb.Proxy.Completions.NextAsync(Token);
        }
        JsonElement json = (await lb.SendAsync("GET", "/limits")).Json;
        Assert.That(json.GetProperty("limits").EnumerateArray().Select(limit => JsonSerializer.Serialize(limit)), Is.EqualTo(new[]
        {
            """{"name":"per client","kind":"rate","rate":"2/h","algorithm":"token-bucket","burst":2,"key":["ip","path"],"routes":["all"],"keyCapacity":1024,"dryRun":false,"allowed":2,"refused":3}""",
            """{"name":"window","kind":"rate","rate":"1/h","algorithm":"sliding-window","key":[],"routes":["all"],"keyCapacity":65536,"dryRun":true,"allowed":1,"refused":1}""",
            """{"name":"places","kind":"concurrency","concurrency":7,"key":[],"routes":[],"keyCapacity":65536,"dryRun":false,"allowed":0,"refused":0}""",
        }));
        Assert.That(JsonSerializer.Serialize(json.GetProperty("clusters")[0]), Is.EqualTo("""{"cluster":"app","limit":5,"min":5,"max":5,"outstanding":0,"dryRun":false,"allowed":2,"refused":0}"""));
        Assert.That((await lb.SendAsync("GET", "/limits/per%20client")).Json.GetProperty("refused").GetInt32(), Is.EqualTo(3));
        Answer none = await lb.SendAsync("GET", "/limits/windows");
        Assert.That((none.Status, none.Detail), Is.EqualTo((404, "there is no limit \"windows\"; did you mean \"window\"?")));
    }
}
