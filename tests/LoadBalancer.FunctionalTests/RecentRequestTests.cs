using System.Text.Json;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>The requests that have ended last are kept, within bounds, and told of when they fail in a burst.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class RecentRequestTests(TransportKind transport) : ExchangeTests(transport)
{
    private static async Task AskAsync(ProxyFixture proxy, RawClient client, string target, string lines = "")
    {
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n{lines}\r\n", Token);
        await client.ReadResponseAsync(Token);
        await proxy.Completions.NextAsync(Token);
        await proxy.TurnAsync(Token);
    }

    private static string[] Targets(IReadOnlyList<RecentRequest> requests) => [.. requests.Select(request => JsonDocument.Parse(request.Json).RootElement.GetProperty("target").GetString()!)];

    [Test]
    public async Task TheLastAreThere_TheNewestFirst_AndFoundById()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            RecentRequests = 8, RequestId = new() { Accept = RequestIdAcceptance.Always },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Path = "/a/**" } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 20; i++) await AskAsync(proxy, client, $"/a/{i}?password=x", $"X-Request-Id: id-{i}\r\nUser-Agent: {new string('u', 2000)}\r\n");
        await AskAsync(proxy, client, "/nowhere");

        Assert.That(Targets(await proxy.Server.DescribeRecentAsync("app")), Is.EqualTo(Enumerable.Range(12, 8).Reverse().Select(i => $"/a/{i}?password=***")));
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync("app", countMax: 2)), Is.EqualTo(new[] { "/a/19?password=***", "/a/18?password=***" }));
        IReadOnlyList<RecentRequest> all = await proxy.Server.DescribeRecentAsync();
        Assert.That(Targets(all), Has.Length.EqualTo(9).And.Contains("/nowhere"));
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync(id: "id-15")), Is.EqualTo(new[] { "/a/15?password=***" }));
        Assert.That(await proxy.Server.DescribeRecentAsync(id: "id-3"), Is.Empty, "others came after it");
        Assert.That(() => proxy.Server.DescribeRecentAsync("nobody"), Throws.ArgumentException);
    }

    // However many clusters there are, a loop makes no more lines than were asked for: it serves nobody meanwhile.
    [Test]
    public async Task TheNewestOfAllClustersAreTakenTogether()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"], ["other"] = config.Clusters["app"] },
            Routes = new Dictionary<string, RouteConfig> { ["a"] = new() { Cluster = "app", Path = "/a/**" }, ["b"] = new() { Cluster = "other", Path = "/b/**" } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (string target in new[] { "/a/0", "/b/0", "/b/1", "/nowhere", "/a/1", "/b/2" }) await AskAsync(proxy, client, target);
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync(countMax: 4)), Is.EqualTo(new[] { "/b/2", "/a/1", "/nowhere", "/b/1" }));
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync(countMax: 1)), Is.EqualTo(new[] { "/b/2" }));
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync()), Is.EqualTo(new[] { "/b/2", "/a/1", "/nowhere", "/b/1", "/b/0", "/a/0" }));
    }

    [Test]
    public async Task WhatAReloadHidesIsHiddenOfThoseBeforeToo()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(proxy, client, "/?mail=x");
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync()), Is.EqualTo(new[] { "/?mail=x" }));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { AccessLog = new() { Redact = ["mail"] } });
        Assert.That(Targets(await proxy.Server.DescribeRecentAsync()), Is.EqualTo(new[] { "/?mail=***" }));
    }

    [Test]
    public async Task NoneAreKeptWhereNoneAreWanted()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with { RecentRequests = 0 });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(proxy, client, "/");
        Assert.That(await proxy.Server.DescribeRecentAsync(), Is.Empty);
    }

    [Test]
    public async Task ABurstOfFailuresIsToldOfOnce()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(
            ProxyFixture.Config(Transport, origin.Address) is var config ? config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Ejection = new() { Enabled = false } } } } : config,
            new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 30; i++) await AskAsync(proxy, client, $"/{i}?token=x");
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("cluster app: requests fail in a burst; the last 10"));
        string line = await proxy.Log.NextAsync(Token);
        Assert.That(line, Does.StartWith("cluster app: failed: {").And.Contain("/9?token=***").And.Contain("\"status\":500"));
        for (int i = 0; i < 9; i++) Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("cluster app: failed: {"));
        Assert.That(proxy.Log.HasNotes, Is.False, "once a minute");
    }

    [TestCase("application/json", "{\"user\":\"a\",\"password\":\"s3\\\"cret\",\"card\":{\"cvc\":\"s3cret\",\"n\":[1]},\"x\":1}", "{\"user\":\"a\",\"password\":\"***\",\"card\":\"***\",\"x\":1}")]
    [TestCase("application/x-www-form-urlencoded", "a=1&client_secret=s3cret&card=s3cret&b=2", "a=1&client_secret=***&card=***&b=2")]
    [TestCase("text/plain", "a\r\nb", "a\r\nb")]
    [TestCase("image/png", "s3cret", null)]
    public async Task BodiesStandInTheRecordWhereTheRouteSaysSo(string type, string body, string? expected)
    {
        var seen = new RecordLines();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                await c.ReadUntilAsync("\r\n\r\n", t);
                await c.ReadUntilAsync(body[^3..], t);
                await c.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n", t);
            }
        });
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address) with
        {
            AccessLog = new(), Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", LogBody = new() { ResponseBytes = body.Length, RequestBytes = body.Length, Redact = ["card"] } } },
        };
        await using var server = new Core.ProxyServer(config, new ErrorLog(), seen);
        await server.StartAsync(Token);
        using RawClient client = await RawClient.ConnectAsync(server.Endpoints["main"], Token);
        // With its head, and after it.
        foreach (bool isLate in new[] { false, true })
        {
            string head = $"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {type}; charset=utf-8\r\nContent-Length: {body.Length}\r\n{(isLate ? "Expect: 100-continue\r\n" : "")}\r\n";
            await client.SendAsync(isLate ? head : head + body, Token);
            if (isLate) await client.SendAsync(body, Token);
            await client.ReadResponseAsync(Token);
            using JsonDocument line = JsonDocument.Parse(await seen.NextAsync(Token));
            foreach (string name in new[] { "requestBody", "responseBody" })
                Assert.That(line.RootElement.TryGetProperty(name, out JsonElement value) ? value.GetString() : null, Is.EqualTo(expected), name);
            Assert.That(line.RootElement.TryGetProperty("responseBodyCut", out _), Is.False);
        }
    }

    [Test]
    public async Task ARouteMayStayOutOfTheLog_ButIsSeen()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address) with
        {
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app" }, ["quiet"] = new() { Cluster = "app", Path = "/health", Log = false } },
        };
        var seen = new LogChoices();
        await using var server = new Core.ProxyServer(config, new ErrorLog(), seen);
        await server.StartAsync(Token);
        using RawClient client = await RawClient.ConnectAsync(server.Endpoints["main"], Token);
        foreach ((string target, bool isUnlogged) in new[] { ("/health", true), ("/", false), ("/health", true), ("*", false) }) // the last is no request: it has no route
        {
            await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await client.ReadResponseAsync(Token);
            Assert.That(await seen.NextAsync(Token), Is.EqualTo(isUnlogged), target);
        }
        Assert.That(Targets(await server.DescribeRecentAsync("app")), Is.EqualTo(new[] { "/health", "/", "/health" }));
    }

    private sealed class LogChoices : ICompletionObserver
    {
        private readonly System.Threading.Channels.Channel<bool> _seen = System.Threading.Channels.Channel.CreateUnbounded<bool>();

        public void OnCompleted(CompletionRecord record) => _seen.Writer.TryWrite(record.IsUnlogged);

        internal async Task<bool> NextAsync(CancellationToken token) => await _seen.Reader.ReadAsync(token);
    }

    /// <summary>What the access log would write.</summary>
    private sealed class RecordLines : ICompletionObserver
    {
        private readonly System.Threading.Channels.Channel<string> _lines = System.Threading.Channels.Channel.CreateUnbounded<string>();
        private readonly LineFormatter _formatter = new(new AccessLogConfig(), TimeProvider.System);

        public void OnCompleted(CompletionRecord record)
        {
            byte[] buffer = new byte[64 << 10];
            var line = new LineWriter(buffer);
            _formatter.Write(ref line, record);
            _lines.Writer.TryWrite(System.Text.Encoding.UTF8.GetString(buffer, 0, line.Length));
        }

        internal async Task<string> NextAsync(CancellationToken token) => await _lines.Reader.ReadAsync(token);
    }
}
