using System.Text.RegularExpressions;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Ids of requests: whose are believed, what becomes of the others, and where they go.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed partial class RequestIdTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Given = "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a-1:b/c\r\n\r\n";

    private static Func<ProxyConfig, ProxyConfig> With(RequestIdConfig? id, params string[] trusted) => config => config with
    {
        RequestId = id,
        Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { TrustedProxies = trusted } },
    };

    [GeneratedRegex("(?m)^X-Request-Id: ([^\r]*)\r$")]
    private static partial Regex Line();

    private static string[] IdsIn(string head) => [.. Line().Matches(head).Select(match => match.Groups[1].Value)];

    [Test]
    public async Task WithoutTheSettingFieldsOfClientsPassAsTheyAre()
    {
        Assert.That(IdsIn(await ForwardedAsync(Given)), Is.EqualTo(new[] { "a-1:b/c" }));
        Assert.That(IdsIn(await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), Is.Empty);
    }

    [TestCase(RequestIdAcceptance.Trusted, "10.0.0.0/8", false)]
    [TestCase(RequestIdAcceptance.Trusted, "127.0.0.0/8", true)]
    [TestCase(RequestIdAcceptance.Always, "10.0.0.0/8", true)]
    [TestCase(RequestIdAcceptance.Never, "127.0.0.0/8", false)]
    public async Task AnIdIsTakenOverFromWhomItIsBelieved(RequestIdAcceptance accept, string trusted, bool isTaken)
    {
        string[] ids = IdsIn(await ForwardedAsync(Given, configure: With(new() { Accept = accept }, trusted)));
        Assert.That(ids, Has.Length.EqualTo(1), "one line only");
        if (isTaken) Assert.That(ids[0], Is.EqualTo("a-1:b/c"));
        else Assert.That(ids[0], Does.Match("^[0-9a-f]{32}$"));
    }

    [TestCase("X-Request-Id: a\r\nX-Request-Id: b\r\n", Description = "two")]
    [TestCase("X-Request-Id: a b\r\n", Description = "a character that means something")]
    [TestCase("X-Request-Id: \"a\"\r\n", Description = "a character that means something")]
    [TestCase("X-Request-Id:\r\n", Description = "none")]
    [TestCase("x_request-id: a\r\nX-Request_Id: b\r\n", Description = "what CGI takes for it")]
    [TestCase(null, Description = "too long")]
    public async Task WhatIsNoIdIsReplaced(string? lines)
    {
        lines ??= $"X-Request-Id: {new string('a', 129)}\r\n";
        string head = await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\n{lines}X: y\r\n\r\n", configure: With(new() { Accept = RequestIdAcceptance.Always }));
        Assert.That(IdsIn(head).Single(), Does.Match("^[0-9a-f]{32}$"));
        Assert.That(head, Does.Contain("\r\nX: y\r\n").And.Not.Contain("_"));
    }

    [Test]
    public async Task TheLongestIdIsTaken()
    {
        string id = new('a', 128);
        Assert.That(IdsIn(await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: {id}\r\n\r\n", configure: With(new() { Accept = RequestIdAcceptance.Always }))), Is.EqualTo(new[] { id }));
    }

    [Test]
    public async Task DestinationClientAndRecordHaveTheSameId_AndNoTwoRequestsHave()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(new()));
        using RawClient client = await proxy.ConnectAsync(Token);
        var seen = new HashSet<string>();
        for (int i = 0; i < 5; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            string[] ids = IdsIn(await client.ReadResponseAsync(Token)); // the head of the answer, and as its content the destination's
            Assert.That(ids, Has.Length.EqualTo(2));
            Assert.That(ids[0], Is.EqualTo(ids[1]));
            Assert.That((await proxy.Completions.NextAsync(Token)).RequestId, Is.EqualTo(ids[0]));
            Assert.That(seen.Add(ids[0]), Is.True);
        }
    }

    [Test]
    public async Task ADestinationsOwnLineIsReplacedWhereClientsGetOurs([Values] bool respond)
    {
        string answer = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nX-Request-Id: theirs\r\nContent-Length: 0\r\n\r\n", configure: With(new() { Respond = respond }));
        if (respond) Assert.That(IdsIn(answer).Single(), Does.Match("^[0-9a-f]{32}$"));
        else Assert.That(IdsIn(answer), Is.EqualTo(new[] { "theirs" }));
    }

    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 502 ")]
    [TestCase("GET /\r\n\r\n", "HTTP/1.1 400 ", Description = "no request at all")]
    public async Task OurOwnAnswersHaveIt(string request, string expected)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, "127.0.0.1:1");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(With(new())(config));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        string answer = await client.ReadResponseAsync(Token);
        Assert.That(answer, Does.StartWith(expected));
        Assert.That(IdsIn(answer).Single(), Is.EqualTo((await proxy.Completions.NextAsync(Token)).RequestId));
    }

    [Test]
    public async Task AnAnswerFromTheCacheHasTheIdOfItsOwnRequest()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nCache-Control: max-age=1000\r\nX-Request-Id: theirs\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await StartAsync(origin, config => With(new() { Header = "x-request-id" })(config) with
        {
            Caches = new Dictionary<string, CacheConfig> { ["main"] = new() },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Cache = new() } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        var ids = new List<string>();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            string head = await client.ReadResponseAsync(Token);
            ids.Add(Regex.Matches(head, "(?mi)^x-request-id: ([^\r]*)\r$").Single().Groups[1].Value);
            Assert.That((await proxy.Completions.NextAsync(Token)).RequestId, Is.EqualTo(ids[^1]));
        }
        Assert.That(ids[0], Is.Not.EqualTo(ids[1]));
        Assert.That(origin.Connections, Is.EqualTo(1));
    }

    // The cache keeps what it holds: also what it got while clients had no ids, or had them under another name.
    [TestCase("x-request-id", "X-Request-Id")]
    [TestCase("x-request-id", "x_Request-Id")]
    [TestCase("correlation", "Correlation")]
    public async Task AfterAReloadAnAnswerFromTheCacheHasOneIdOnly(string header, string theirs)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering($"HTTP/1.1 200 OK\r\nCache-Control: max-age=1000\r\nETag: \"1\"\r\n{theirs}: theirs\r\nX: y\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Caches = new Dictionary<string, CacheConfig> { ["main"] = new() },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Cache = new() } },
        });
        async Task<string> AskAsync(string lines = "")
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n", Token);
            return await client.ReadResponseAsync(Token);
        }

        Assert.That(await AskAsync(), Does.Contain($"\r\n{theirs}: theirs\r\n"));
        Assert.That(await AskAsync(), Does.Contain($"\r\n{theirs}: theirs\r\n"));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { RequestId = new() { Header = header } });
        foreach (string lines in new[] { "", "Range: bytes=0-0\r\n", "If-None-Match: \"1\"\r\n" })
        {
            string answer = await AskAsync(lines);
            Assert.That(answer, Does.Match($"\r\n{header}: [0-9a-f]{{32}}\r\n").And.Contain("\r\nX: y\r\n").And.Not.Contain("theirs"));
        }
        Assert.That(origin.Connections, Is.EqualTo(1));
    }
}
