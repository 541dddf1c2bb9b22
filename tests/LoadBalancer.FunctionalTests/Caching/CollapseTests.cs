using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Caching;

/// <summary>Requests for what another is fetching, and stale answers while it is fetched or cannot be.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class CollapseTests(TransportKind transport) : CacheFixture(transport)
{
    private const string Uncacheable = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok";

    // Passes when so many wait for what another fetches: a request that is sent may not have been read.
    private async Task<Task<string>[]> AskTogetherAsync(int count, int waiting = 0)
    {
        var asking = new Task<string>[count];
        for (int i = 0; i < count; i++)
        {
            RawClient client = await ConnectAsync();
            asking[i] = AskAsync(client, Get("/a"));
            await Proxy.TurnAsync(Token);
        }
        await WaitingAsync(waiting);
        return asking;
    }

    private async Task WaitingAsync(int count)
    {
        while (Proxy.Server.Snapshot.Stores[0].Flights.WaitingCount < count) await Proxy.TurnAsync(Token);
    }

    [Test]
    public async Task OneFetchesForAll()
    {
        await StartAsync();
        Task<string>[] asking = await AskTogetherAsync(5, waiting: 4);
        await Origin.ArrivedAsync(Token);
        Origin.Answer(Fresh);
        foreach (string answer in await Task.WhenAll(asking)) Assert.That(answer, Does.EndWith("first"));
        Assert.That(Origin.Requests, Is.EqualTo(1));
        Assert.That(StatusOf(asking[0].Result), Is.EqualTo("lb; fwd=uri-miss; ttl=60; stored"));
        Assert.That(StatusOf(asking[1].Result), Is.EqualTo("lb; fwd=uri-miss; ttl=60; collapsed"));
    }

    [Test]
    public async Task WhatCannotBeStoredIsFetchedSideBySide()
    {
        await StartAsync();
        Task<string>[] asking = await AskTogetherAsync(3, waiting: 2);
        await Origin.ArrivedAsync(Token);
        Origin.Answer(Uncacheable);
        // Both others go at once, and so does whoever comes next.
        await Origin.ArrivedAsync(Token);
        await Origin.ArrivedAsync(Token);
        Task<string>[] later = await AskTogetherAsync(2);
        await Origin.ArrivedAsync(Token);
        await Origin.ArrivedAsync(Token);
        for (int i = 0; i < 4; i++) Origin.Answer(Uncacheable);
        foreach (string answer in await Task.WhenAll([.. asking, .. later])) Assert.That(answer, Does.EndWith("ok"));
    }

    [Test]
    public async Task NobodyWaitsForEver()
    {
        await StartAsync(new() { CollapseTimeout = TimeSpan.FromSeconds(3) });
        Task<string>[] asking = await AskTogetherAsync(2, waiting: 1);
        await Origin.ArrivedAsync(Token);
        Time.Advance(TimeSpan.FromSeconds(4));
        await Origin.ArrivedAsync(Token);
        Origin.Answer(Fresh);
        Origin.Answer(Fresh);
        foreach (string answer in await Task.WhenAll(asking)) Assert.That(answer, Does.EndWith("first"));
        Assert.That(await AskAsync(await ConnectAsync(), Get("/a")), Does.EndWith("first"));
    }

    [Test]
    public async Task WhenTheFirstLeavesTheNextFetches()
    {
        await StartAsync();
        RawClient first = await ConnectAsync();
        await first.SendAsync(Get("/a"), Token);
        await Origin.ArrivedAsync(Token);
        Task<string>[] asking = await AskTogetherAsync(2, waiting: 2);
        first.Reset();
        await Origin.EndedAsync(Token);
        await Origin.ArrivedAsync(Token);
        Origin.Answer(Fresh);
        foreach (string answer in await Task.WhenAll(asking)) Assert.That(answer, Does.EndWith("first"));
        Assert.That((await Proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task OneWhoLeavesWhileHeWaitsIsGone()
    {
        await StartAsync();
        Task<string>[] asking = await AskTogetherAsync(1);
        await Origin.ArrivedAsync(Token);
        RawClient second = await ConnectAsync();
        await second.SendAsync(Get("/a"), Token);
        await WaitingAsync(1);
        second.Reset();
        Assert.That((await Proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
        Origin.Answer(Fresh);
        Assert.That(await asking[0], Does.EndWith("first"));
    }

    [Test]
    public async Task AFailureIsNotWaitedForInTurn()
    {
        await StartAsync(change: c => c with { RetriesMax = 0 });
        Task<string>[] asking = await AskTogetherAsync(3, waiting: 2);
        await Origin.ArrivedAsync(Token);
        Origin.Answer("nonsense\r\n\r\n");
        await Origin.ArrivedAsync(Token);
        await Origin.ArrivedAsync(Token);
        Origin.Answer("nonsense\r\n\r\n");
        Origin.Answer("nonsense\r\n\r\n");
        foreach (string answer in await Task.WhenAll(asking)) Assert.That(answer, Does.StartWith("HTTP/1.1 502 "));
    }

    [Test]
    public async Task AStaleAnswerIsGivenWhileANewOneIsFetched()
    {
        await StartAsync();
        RawClient client = await ConnectAsync();
        string fresh = Fresh.Replace("max-age=60", "max-age=60, stale-while-revalidate=30", StringComparison.Ordinal);
        await ForwardAsync(client, Get("/a"), fresh);
        Time.Advance(TimeSpan.FromSeconds(61));
        string stale = await AskAsync(client, Get("/a"));
        Assert.That(stale, Does.EndWith("first").And.Contain("\r\nAge: 61\r\n"));
        Assert.That(StatusOf(stale), Is.EqualTo("lb; hit; ttl=-1"));
        Assert.That(await Origin.ArrivedAsync(Token), Does.Contain("\r\nIf-None-Match: \"v1\"\r\n"));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"), "and no second one asks");
        Origin.Answer(Second.Replace("03:04:05", "03:05:06", StringComparison.Ordinal));
        await Origin.SentAsync(Token);
        await Origin.SentAsync(Token);
        while (true)
        {
            await Proxy.TurnAsync(Token);
            if ((await AskAsync(client, Get("/a"))).EndsWith("second", StringComparison.Ordinal)) break;
        }
        Assert.That(Origin.Requests, Is.EqualTo(2));
    }

    [Test]
    public async Task ARefreshMayFindItUnchanged()
    {
        await StartAsync(new() { StaleWhileRevalidate = TimeSpan.FromMinutes(1) });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"));
        await Origin.ArrivedAsync(Token);
        Origin.Answer("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n\r\n");
        string answer;
        do
        {
            await Proxy.TurnAsync(Token);
            answer = await AskAsync(client, Get("/a"));
        }
        while (!answer.Contains("ttl=60", StringComparison.Ordinal));
        Assert.That(answer, Does.EndWith("first").And.Contain("\r\nAge: 0\r\n"));
    }

    [TestCase("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", 503)]
    [TestCase("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", 500)]
    [TestCase("nonsense\r\n\r\n", 0)]
    public async Task AStaleAnswerIsBetterThanAnError(string failure, int status)
    {
        await StartAsync(new() { StaleIfError = TimeSpan.FromMinutes(10) }, c => c with { RetriesMax = 0 });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Time.Advance(TimeSpan.FromMinutes(5));
        (_, string answer) = await ForwardAsync(await ConnectAsync(), Get("/a"), failure);
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("\r\n\r\nfirst").And.Contain("\r\nAge: 300\r\n"));
        Assert.That(StatusOf(answer), Is.EqualTo(status == 0 ? "lb; fwd=stale; ttl=-240" : $"lb; fwd=stale; fwd-status={status}; ttl=-240"));
        await RecordAsync();
        Assert.That(await RecordAsync(), Is.EqualTo((CacheOutcome.StaleIfError, EndReason.Cached, 200)));
        Time.Advance(TimeSpan.FromMinutes(10));
        Assert.That((await ForwardAsync(await ConnectAsync(), Get("/a"), "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")).Answer, Does.StartWith("HTTP/1.1 503 "));
    }

    [Test]
    public async Task AFleetThatIsDownIsHidden()
    {
        await StartAsync(new() { StaleIfError = TimeSpan.FromMinutes(10) }, c => c with { RetriesMax = 0 });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Time.Advance(TimeSpan.FromMinutes(2));
        client = await ConnectAsync();
        Proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig>());
        Assert.That(await AskAsync(client, Get("/a")), Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("first"));
        Assert.That(await AskAsync(client, Get("/b")), Does.StartWith("HTTP/1.1 503 "));
    }

    [Test]
    public async Task WhatMustBeRevalidatedIsNeverStale()
    {
        await StartAsync(new() { StaleIfError = TimeSpan.FromMinutes(10), StaleWhileRevalidate = TimeSpan.FromMinutes(10) }, c => c with { RetriesMax = 0 });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh.Replace("max-age=60", "max-age=60, must-revalidate", StringComparison.Ordinal));
        Time.Advance(TimeSpan.FromMinutes(2));
        Assert.That((await ForwardAsync(await ConnectAsync(), Get("/a"), "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")).Answer, Does.StartWith("HTTP/1.1 503 "));
    }

    [Test]
    public async Task AServerThatStopsWaitsForNoRefresh()
    {
        await StartAsync(new() { StaleWhileRevalidate = TimeSpan.FromMinutes(1) });
        RawClient client = await ConnectAsync();
        await ForwardAsync(client, Get("/a"), Fresh);
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.That(await AskAsync(client, Get("/a")), Does.EndWith("first"));
        await Origin.ArrivedAsync(Token);
        await Proxy.Server.StopAsync(Token);
    }

    [Test]
    public async Task WhatIsRevalidatedEachTimeIsRevalidatedSideBySide()
    {
        await StartAsync();
        await ForwardAsync(await ConnectAsync(), Get("/a"), Fresh.Replace("max-age=60", "no-cache", StringComparison.Ordinal));
        Task<string>[] asking = await AskTogetherAsync(3);
        for (int i = 0; i < 3; i++) await Origin.ArrivedAsync(Token);
        for (int i = 0; i < 3; i++) Origin.Answer("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: no-cache\r\n\r\n");
        foreach (string answer in await Task.WhenAll(asking)) Assert.That(answer, Does.EndWith("first"));
    }

    [Test]
    public async Task NobodyWaitsForAnAnswerThatIsTooLongToBeKept()
    {
        await StartAsync(store: new() { ObjectBytesMax = 1024 });
        RawClient first = await ConnectAsync();
        await first.SendAsync(Get("/a"), Token);
        await Origin.ArrivedAsync(Token);
        Task<string>[] asking = await AskTogetherAsync(1);
        // It has not ended, and yet it is known.
        Origin.Answer($"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n{new string('x', 2048)}\r\n");
        await Origin.ArrivedAsync(Token);
        Origin.Answer(Fresh);
        Assert.That(await asking[0], Does.EndWith("first"));
        first.Reset();
    }
}
