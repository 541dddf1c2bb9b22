using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>The requests that have ended last are seen.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class TraceTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task RequestsAreListedAndFoundById()
    {
        await using ScriptedOrigin origin = AdminFixture.Named("one");
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, destinations: origin.Address,
            change: config => config with { RequestId = new() { Accept = RequestIdAcceptance.Always } });
        using RawClient client = await lb.Proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync($"GET /{i}?key=s3cret HTTP/1.1\r\nHost: h\r\nX-Request-Id: id/{i}\r\n\r\n", Token);
            await client.ReadResponseAsync(Token);
            await lb.Proxy.Completions.NextAsync(Token);
        }
        await lb.Proxy.TurnAsync(Token);
        Assert.That(Targets(await lb.SendAsync("GET", "/trace")), Is.EqualTo(new[] { "/2?key=***", "/1?key=***", "/0?key=***" }));
        Assert.That(Targets(await lb.SendAsync("GET", "/trace?cluster=app&count=1")), Is.EqualTo(new[] { "/2?key=***" }));
        Assert.That(Targets(await lb.SendAsync("GET", "/trace?cluster=closed")), Is.Empty);
        Assert.That(Targets(await lb.SendAsync("GET", "/trace/id%2F1")), Is.EqualTo(new[] { "/1?key=***" }));
    }

    [TestCase("/trace?cluster=x+y%2B", 404, "there is no cluster \"x y+\"; expected one of \"app\", \"closed\"")]
    [TestCase("/trace?cluster=ap", 404, "there is no cluster \"ap\"; did you mean \"app\"?")]
    [TestCase("/trace?count=0", 400, "\"count\" is \"0\"; expected 1 to 500")]
    [TestCase("/trace?n=0", 400, "the query has the unknown \"n\"; expected \"cluster\" or \"count\"")]
    [TestCase("/trace/nobody", 404, "no request \"nobody\" is among the last that have ended")]
    public async Task WhatIsNotThereIsRefused(string path, int status, string detail)
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport);
        Answer answer = await lb.SendAsync("GET", path);
        Assert.That((answer.Status, answer.Detail), Is.EqualTo((status, detail)));
    }

    [Test]
    public async Task WhereNoneAreKeptItIsSaid()
    {
        await using AdminFixture lb = await AdminFixture.StartAsync(transport, change: config => config with { RecentRequests = 0 });
        Assert.That((await lb.SendAsync("GET", "/trace/a")).Detail, Is.EqualTo("no requests are kept; see \"recentRequests\" of the configuration"));
    }

    private static string[] Targets(Answer answer) => [.. answer.Json.GetProperty("requests").EnumerateArray().Select(request => request.GetProperty("target").GetString()!)];
}
