using System.Globalization;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Caching;

/// <summary>Conditional requests and ranges with a real nginx as the origin: its validators, its 304, its 206.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(60_000)]
public sealed class NginxOriginTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-nginx-").FullName;
    private readonly int _port = SystemProgram.FreePort();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // It writes a line when the answer is sent: the client may have it before.
    private async Task<string[]> AskedAsync(int count)
    {
        string[] lines;
        do
        {
            await Task.Yield();
            lines = await File.ReadAllLinesAsync(Path.Combine(_folder, "asked.log"), Token);
        }
        while (lines.Length < count);
        return lines;
    }

    private void Write(string text, int seconds)
    {
        string file = Path.Combine(_folder, "site", "page");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        File.SetLastWriteTimeUtc(file, new DateTime(2026, 1, 2, 3, 4, seconds, DateTimeKind.Utc));
    }

    [Test]
    public async Task ItsValidatorsAndRangesAreUnderstood()
    {
        string first = string.Concat(Enumerable.Range(0, 2000).Select(i => i.ToString("D4", CultureInfo.InvariantCulture))), second = new string('x', 5000);
        Write(first, 5);
        await using RunningProgram nginx = await PeerServers.StartNginxAsync(_folder, _port, $$"""
            log_format asked "$request_method $status $sent_http_content_length";
            server { listen 127.0.0.1:{{_port}}; access_log {{_folder}}/asked.log asked; root {{_folder}}/site; add_header Cache-Control "max-age=3600"; }
            """, Token);
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto, $"127.0.0.1:{_port}");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Caches = new Dictionary<string, CacheConfig> { ["main"] = new() },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Cache = new() } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        // A part of what is not stored is nginx's.
        string part = await AskAsync(client, "Range: bytes=0-3\r\n");
        Assert.That(part, Does.StartWith("HTTP/1.1 206 ").And.Contain($"\r\nContent-Range: bytes 0-3/{first.Length}\r\n").And.EndWith("\r\n\r\n0000"));
        string whole = await AskAsync(client, "");
        Assert.That(whole, Does.StartWith("HTTP/1.1 200 ").And.EndWith(first));
        string tag = Field(whole, "ETag"), modified = Field(whole, "Last-Modified");

        // From here on it is not asked.
        Assert.That(await AskAsync(client, "Range: bytes=4-11\r\n"), Does.StartWith("HTTP/1.1 206 ").And.Contain($"\r\nETag: {tag}\r\n").And.EndWith("\r\n\r\n00010002"));
        Assert.That(await AskAsync(client, $"Range: bytes=-4\r\nIf-Range: {tag}\r\n"), Does.StartWith("HTTP/1.1 206 ").And.EndWith("\r\n\r\n1999"));
        Assert.That(await AskAsync(client, $"Range: bytes=-4\r\nIf-Range: {modified}\r\n"), Does.StartWith("HTTP/1.1 206 "));
        Assert.That(await AskAsync(client, "Range: bytes=-4\r\nIf-Range: \"other\"\r\n"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync(client, $"Range: bytes={first.Length}-\r\n"), Does.StartWith("HTTP/1.1 416 ").And.Contain($"\r\nContent-Range: bytes */{first.Length}\r\n"));
        Assert.That(await AskAsync(client, $"If-None-Match: {tag}\r\n"), Does.StartWith("HTTP/1.1 304 "));
        Assert.That(await AskAsync(client, $"If-Modified-Since: {modified}\r\n"), Does.StartWith("HTTP/1.1 304 "));
        Assert.That(await AskedAsync(2), Is.EqualTo(new[] { "GET 206 4", $"GET 200 {first.Length}" }));

        // Stale, and unchanged; then changed.
        var page = new Core.CachePurge("http://h/page", null, All: false);
        Assert.That(proxy.Server.PurgeCache(null, page, soft: true), Is.EqualTo(1));
        Assert.That(await AskAsync(client, ""), Does.StartWith("HTTP/1.1 200 ").And.EndWith(first));
        Assert.That((await AskedAsync(3))[^1], Does.StartWith("GET 304 "));
        proxy.Server.PurgeCache(null, page, soft: true);
        Assert.That(await AskAsync(client, $"If-None-Match: {tag}\r\n"), Does.StartWith("HTTP/1.1 304 "), "asked for us, told to the client");
        Write(second, 9);
        proxy.Server.PurgeCache(null, page, soft: true);
        Assert.That(await AskAsync(client, $"If-None-Match: {tag}\r\n"), Does.StartWith("HTTP/1.1 200 ").And.EndWith(second));
        Assert.That((await AskedAsync(5))[^1], Is.EqualTo($"GET 200 {second.Length}"));
        Assert.That(await AskAsync(client, "Range: bytes=0-1\r\n"), Does.StartWith("HTTP/1.1 206 ").And.Contain($"/{second.Length}\r\n"));

        CacheOutcome[] outcomes = new CacheOutcome[13];
        for (int i = 0; i < outcomes.Length; i++) outcomes[i] = (await proxy.Completions.NextAsync(Token)).Cache;
        Assert.That(outcomes, Is.EqualTo(new[]
        {
            CacheOutcome.Miss, CacheOutcome.Miss, CacheOutcome.Hit, CacheOutcome.Hit, CacheOutcome.Hit, CacheOutcome.Hit, CacheOutcome.Hit, CacheOutcome.Hit, CacheOutcome.Hit,
            CacheOutcome.Revalidated, CacheOutcome.Revalidated, CacheOutcome.Expired, CacheOutcome.Hit,
        }));
    }

    private static async Task<string> AskAsync(RawClient client, string lines)
    {
        await client.SendAsync($"GET /page HTTP/1.1\r\nHost: h\r\n{lines}\r\n", Token);
        return await client.ReadResponseAsync(Token);
    }

    private static string Field(string answer, string name) => answer.Split("\r\n").Single(line => line.StartsWith($"{name}: ", StringComparison.Ordinal))[(name.Length + 2)..];
}
