using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Caching;

/// <summary>Answers that are too long for memory.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(60_000)]
public sealed class DiskCacheTests(TransportKind transport) : CacheFixture(transport)
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-cache-").FullName;
    private static readonly string Large = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i:D8} "));

    private CacheConfig Store => new() { ObjectBytesMax = 16 * 1024, Disk = new() { Path = _folder } };

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private static string Answer(bool isChunked, string lines = "Cache-Control: max-age=60\r\nETag: \"v1\"\r\n") => isChunked
        ? $"HTTP/1.1 200 OK\r\n{lines}Transfer-Encoding: chunked\r\n\r\n{Large.Length:x}\r\n{Large}\r\n0\r\n\r\n"
        : $"HTTP/1.1 200 OK\r\n{lines}Content-Length: {Large.Length}\r\n\r\n{Large}";

    private async Task StoreAsync(bool isChunked)
    {
        await StartAsync(store: Store);
        await FillAsync(isChunked);
    }

    // The file takes a moment after its answer: until then requests wait, or ask the destination themselves.
    private async Task FillAsync(bool isChunked = false)
    {
        long Objects() => Proxy.Server.Snapshot.Stores[0].Disk!.GetStatistics().Objects;
        while (Objects() == 0)
        {
            Task<string> asking = AskAsync(await ConnectAsync(), Get("/a"));
            await Origin.ArrivedAsync(Token);
            Origin.Answer(Answer(isChunked));
            Assert.That(BodyOf(await asking), Is.EqualTo(Large));
            for (int i = 0; i < 10_000 && Objects() == 0; i++) await Proxy.TurnAsync(Token);
        }
    }

    [Test]
    public async Task WhatIsLongLiesOnDisk([Values] bool isChunked)
    {
        await StoreAsync(isChunked);
        int asked = Origin.Requests;
        RawClient client = await ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            string hit = await AskAsync(client, Get("/a"));
            Assert.That(BodyOf(hit), Is.EqualTo(Large));
            Assert.That(hit, Does.Contain($"\r\nContent-Length: {Large.Length}\r\n").And.Contain("\r\nAge: 0\r\n"));
        }
        string part = await AskAsync(client, Get("/a", "Range: bytes=90000-200000\r\n"));
        Assert.That(part, Does.StartWith("HTTP/1.1 206 "));
        Assert.That(BodyOf(part), Is.EqualTo(Large[90_000..200_001]));
        Assert.That(await AskAsync(client, Get("/a", "If-None-Match: \"v1\"\r\n")), Does.StartWith("HTTP/1.1 304 "));
        Assert.That(await AskAsync(client, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n"), Does.Contain($"\r\nContent-Length: {Large.Length}\r\n"));
        Assert.That(Origin.Requests, Is.EqualTo(asked));
        Assert.That(Proxy.Server.Snapshot.Stores[0].Memory.GetStatistics().Objects, Is.Zero);
    }

    [Test]
    public async Task WhatIsStaleOnDiskIsRevalidated()
    {
        await StoreAsync(isChunked: false);
        Time.Advance(TimeSpan.FromSeconds(61));
        (string forwarded, string answer) = await ForwardAsync(await ConnectAsync(), Get("/a"), "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n\r\n");
        Assert.That(forwarded, Does.Contain("\r\nIf-None-Match: \"v1\"\r\n"));
        Assert.That(BodyOf(answer), Is.EqualTo(Large));
        Assert.That(BodyOf(await AskAsync(await ConnectAsync(), Get("/a"))), Is.EqualTo(Large));
    }

    [Test]
    public async Task AFileThatIsAlteredIsNeverServed()
    {
        await StoreAsync(isChunked: false);
        string file = Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).MaxBy(path => new FileInfo(path).Length)!;
        await using (FileStream stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            stream.Seek(-1000, SeekOrigin.End);
            stream.WriteByte((byte)'!');
        }
        RawClient client = await ConnectAsync();
        await client.SendAsync(Get("/a", "Connection: close\r\n"), Token);
        // Cut at the latest in its middle; or found out before anything is sent, and asked for anew.
        Task<string> reading = client.ReadToEndAsync(Token), arriving = Origin.ArrivedAsync(Token);
        if (await Task.WhenAny(reading, arriving) == arriving)
        {
            Origin.Answer(Answer(isChunked: false));
            Assert.That(BodyOf(await reading), Is.EqualTo(Large));
        }
        else Assert.That((await reading).Length, Is.LessThan(Large.Length));
    }

    [Test]
    public async Task AFleetThatIsDownIsHiddenFromDisk()
    {
        await StartAsync(new() { StaleIfError = TimeSpan.FromHours(1) }, c => c with { RetriesMax = 0 }, Store);
        await FillAsync();
        Time.Advance(TimeSpan.FromMinutes(2));
        Proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig>());
        Assert.That(BodyOf(await AskAsync(await ConnectAsync(), Get("/a"))), Is.EqualTo(Large));
        Assert.That((await LastRecordAsync()).Cache, Is.EqualTo(CacheOutcome.StaleIfError));
    }

    private async Task<Completion> LastRecordAsync()
    {
        await Proxy.TurnAsync(Token); // the client has its answer before the record is told
        Completion record = await Proxy.Completions.NextAsync(Token);
        while (!Proxy.Completions.IsEmpty) record = await Proxy.Completions.NextAsync(Token);
        return record;
    }

    [Test]
    public void AFolderThatCannotBeUsedIsNamed()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        ConfigException problem = Assert.ThrowsAsync<ConfigException>(() => StartAsync(store: new() { Disk = new() { Path = file } }))!;
        Assert.That(problem.Problems.Single().ToString(), Does.StartWith("caches.main.disk.path: cannot be used: "));
    }

    [Test]
    public async Task WhatHasChangedItsSizeIsFoundWhereItIsNow()
    {
        await StoreAsync(isChunked: false);
        Time.Advance(TimeSpan.FromSeconds(61));
        string small = Second.Replace("03:04:05", "03:05:06", StringComparison.Ordinal);
        Assert.That((await ForwardAsync(await ConnectAsync(), Get("/a"), small)).Answer, Does.EndWith("second"));
        Assert.That(await AskAsync(await ConnectAsync(), Get("/a")), Does.EndWith("second"));
        Assert.That(Proxy.Server.Snapshot.Stores[0].Disk!.GetStatistics().Objects, Is.Zero);
        Time.Advance(TimeSpan.FromSeconds(61));
        await ForwardAsync(await ConnectAsync(), Get("/a"), Answer(isChunked: false, "Cache-Control: max-age=60\r\nETag: \"v3\"\r\n"));
        while (Proxy.Server.Snapshot.Stores[0].Memory.GetStatistics().Objects != 0) await Proxy.TurnAsync(Token);
        Assert.That(BodyOf(await AskAsync(await ConnectAsync(), Get("/a"))), Is.EqualTo(Large));
    }
}
