using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway.Headers;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>The completion record tells of every attempt.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class AttemptTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\nReferer: https://a.test/?token=x\r\nUser-Agent: me/1\r\n\r\n";

    private static (string, AttemptCause, EndReason, int, bool)[] Facts(Completion completion) =>
        [.. completion.Tries.Select(attempt => (attempt.Destination, attempt.Cause, attempt.Reason, attempt.Status, attempt.ConnectionReused))];

    [Test]
    public async Task OneThatSucceeds()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That(Facts(completion), Is.EqualTo(new[] { ("d0", AttemptCause.First, EndReason.Completed, 200, i == 1) }));
            Assert.That((completion.Referer, completion.UserAgent, completion.HttpMinorVersion), Is.EqualTo(("https://a.test/?token=x", "me/1", 1)));
            AttemptRecord attempt = completion.Tries[0];
            Assert.That(attempt.TotalTicks, Is.GreaterThanOrEqualTo(attempt.FirstByteTicks).And.Positive);
            Assert.That(attempt.ConnectTicks, i == 1 ? Is.Zero : Is.Positive);
        }
    }

    [Test]
    public async Task AConnectFailureAndTheRetryElsewhere()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        ProxyConfig config = ProxyFixture.Config(Transport, "127.0.0.1:1", origin.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "first" } } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await client.ReadResponseAsync(Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That(Facts(completion), Is.EqualTo(new[]
        {
            ("d0", AttemptCause.First, EndReason.UpstreamConnectFailed, 0, false), ("d1", AttemptCause.Retry, EndReason.Completed, 200, false),
        }));
        Assert.That(completion.Tries[1].StartTicks, Is.GreaterThanOrEqualTo(completion.Tries[0].TotalTicks));
        Assert.That(completion.Balance, Is.EqualTo("first"));
    }

    [Test]
    public async Task AKeptConnectionThatWasClosedAndTheNewOne()
    {
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            if (number == 1) await c.ReadUntilAsync("\r\n\r\n", t);
            else await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
        }
        await proxy.Completions.NextAsync(Token);
        Assert.That(Facts(await proxy.Completions.NextAsync(Token)), Is.EqualTo(new[]
        {
            ("d0", AttemptCause.First, EndReason.UpstreamClosed, 0, true), ("d0", AttemptCause.Reconnect, EndReason.Completed, 200, false),
        }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task AHedgeAndWhoLost(bool hedgeWins)
    {
        var time = new FakeTimeProvider();
        await using HeldOrigin first = new(), second = new();
        ProxyConfig config = ProxyFixture.Config(Transport, first.Address, second.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "first", Hedge = new() { After = "200ms", PercentMax = 100 } } },
        }, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        time.Advance(TimeSpan.FromMilliseconds(250));
        await second.ArrivedAsync(Token);
        (hedgeWins ? second : first).Answer(HeldOrigin.Ok("x"));
        await client.ReadResponseAsync(Token);
        Assert.That(Facts(await proxy.Completions.NextAsync(Token)), Is.EqualTo(new[]
        {
            ("d0", AttemptCause.First, hedgeWins ? EndReason.None : EndReason.Completed, hedgeWins ? 0 : 200, false),
            ("d1", AttemptCause.Hedge, hedgeWins ? EndReason.Completed : EndReason.None, hedgeWins ? 200 : 0, false),
        }));
    }

    [Test]
    public async Task TheDestinationOfACookie()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Sticky = new() { Cookie = "lb", Keys = ["a key of a good length"] } } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        string cookie = (await client.ReadResponseAsync(Token)).Split("lb=")[1].Split(';')[0];
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\nCookie: lb={cookie}\r\n\r\n", Token);
        await client.ReadResponseAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Tries.Single().Cause, Is.EqualTo(AttemptCause.First));
        Assert.That((await proxy.Completions.NextAsync(Token)).Tries.Single().Cause, Is.EqualTo(AttemptCause.Session));
    }

    [Test]
    public async Task WhatLimitsHaveSaid()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Limits = new Dictionary<string, LimitConfig> { ["two"] = new() { Rate = "2/h", Burst = 2 }, ["dry"] = new() { Rate = "1/h", Burst = 1, DryRun = true } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["two"] = 1, ["dry"] = 1 } } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (LimitOutcome expected in new[] { LimitOutcome.Allowed, LimitOutcome.DryRun, LimitOutcome.Refused })
        {
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
            Assert.That((await proxy.Completions.NextAsync(Token)).Limit, Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task WhatWasAgreedOnByTls()
    {
        using var certificate = new TestCertificate("a.test");
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { Tls = new() { Certificates = [new() { File = certificate.Pem }] } }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.StartTlsAsync("a.test", Token);
        await client.SendAsync(Get, Token);
        await client.ReadResponseAsync(Token);
        TlsSummary tls = (await proxy.Completions.NextAsync(Token)).Tls!;
        Assert.That((tls.Protocol, tls.ServerName), Is.EqualTo(("TLSv1.3", "a.test")));
        Assert.That(tls.Cipher, Does.StartWith("TLS_"));
    }

    [Test]
    public async Task PoliciesOfTheRouteAndAHeadThatTheyHaveChanged()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Policies = new Dictionary<string, Core.Policies.PolicyConfig> { ["headers"] = new HeadersConfig { Request = new() { Set = new Dictionary<string, string> { ["User-Agent"] = "other", ["Referer"] = "other" } } } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Policies = ["headers"] } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await client.ReadResponseAsync(Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Method, completion.Target, completion.Referer, completion.UserAgent), Is.EqualTo(("GET", "/", "https://a.test/?token=x", "me/1")), "of the request that came");
        Assert.That(completion.Policies, Is.EqualTo(new[] { "headers" }));
    }
}
