using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Connections counted by source, and bans of those who are refused too often.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class SourceLimitTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    private static string Tcp4(int client) => $"PROXY TCP4 192.0.2.{client} 192.0.2.1 1000 80\r\n";

    private static Func<ProxyConfig, ProxyConfig> With(PerSourceConfig sources, Func<ListenerConfig, ListenerConfig>? change = null) =>
        Listener(listener => (change?.Invoke(listener) ?? listener) with { PerSource = sources });

    private static async Task<RawClient> ServedAsync(ProxyFixture proxy, string? from = null, string before = "", bool isTls = false)
    {
        RawClient client = await proxy.ConnectAsync(Token, from);
        if (isTls) await client.StartTlsAsync("h", Token);
        await client.SendAsync(before + Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        return client;
    }

    private static async Task AssertResetAsync(ProxyFixture proxy, string? from = null, string before = "")
    {
        try
        {
            using RawClient client = await proxy.ConnectAsync(Token, from);
            if (before.Length > 0) await client.SendAsync(before, Token);
            Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
            Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset) // before the client knows that it is connected
        {
        }
    }

    private static async Task<Completion> NextAsync(ProxyFixture proxy, EndReason reason)
    {
        while (true)
            if (await proxy.Completions.NextAsync(Token) is var completion && completion.Reason == reason) return completion;
    }

    private static async Task AllEndedAsync(ProxyFixture proxy, int left = 0)
    {
        while (proxy.Server.Contexts[0].ConnectionCount > left) await proxy.TurnAsync(Token);
    }

    [Test]
    public async Task ASourceHasAtMostSoManyConnectionsAndAnotherItsOwn()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { ConnectionsMax = 2 }));
        using RawClient first = await ServedAsync(proxy), second = await ServedAsync(proxy), other = await ServedAsync(proxy, "127.0.0.2");
        await AssertResetAsync(proxy);
        Completion completion = await NextAsync(proxy, EndReason.SourceConnectionsExceeded);
        Assert.That((completion.RefusedBy, completion.Status), Is.EqualTo(("perSource", 0)));
        first.Dispose();
        await AllEndedAsync(proxy, left: 2);
        using RawClient third = await ServedAsync(proxy);
        await AssertResetAsync(proxy);
    }

    // However a connection ends, its place is free again.
    private static readonly Dictionary<string, Func<SourceLimitTests, ProxyFixture, Task>> Ends = new()
    {
        ["closed by the client"] = async (_, proxy) => (await ServedAsync(proxy)).Dispose(),
        ["reset by the client"] = async (_, proxy) => (await ServedAsync(proxy)).Reset(),
        ["closed without a word"] = async (_, proxy) => (await proxy.ConnectAsync(Token)).Dispose(),
        ["a malformed request"] = async (_, proxy) =>
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync("nothing\r\n\r\n", Token);
            await client.ReadToEndAsync(Token);
        },
        ["closed by us"] = async (_, proxy) =>
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
            await client.ReadToEndAsync(Token);
        },
    };

    private static IEnumerable<string> EndNames => Ends.Keys;

    [TestCaseSource(nameof(EndNames))]
    public async Task APlaceIsFreeAgainHoweverItsConnectionEnds(string way)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { ConnectionsMax = 1 }));
        for (int round = 0; round < 3; round++)
        {
            await Ends[way](this, proxy);
            await AllEndedAsync(proxy);
        }
        using RawClient kept = await ServedAsync(proxy);
        await AssertResetAsync(proxy);
    }

    [Test]
    public async Task WithTlsAPlaceIsHeldFromBeforeTheHandshakeToTheEnd()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { ConnectionsMax = 1 }, listener => listener with { Tls = new() { Certificates = [new() { File = _authority.IssueFile(["h"]) }] } }));
        using (RawClient silent = await proxy.ConnectAsync(Token))
        {
            while (proxy.Server.Contexts[0].ConnectionCount == 0) await proxy.TurnAsync(Token);
            await AssertResetAsync(proxy);
        }
        await AllEndedAsync(proxy);
        using (RawClient garbage = await proxy.ConnectAsync(Token))
        {
            await garbage.SendAsync("\u0016nothing of TLS", Token);
            await garbage.ReadToEndAsync(Token);
        }
        await AllEndedAsync(proxy);
        using (RawClient served = await ServedAsync(proxy, isTls: true)) await AssertResetAsync(proxy);
        await AllEndedAsync(proxy);
        using RawClient again = await ServedAsync(proxy, isTls: true);
    }

    [Test]
    public async Task BehindAProxyHeaderTheClientInItIsCounted()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { ConnectionsMax = 1 }, listener => listener with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } }));
        using RawClient first = await ServedAsync(proxy, before: Tcp4(7)), other = await ServedAsync(proxy, before: Tcp4(8));
        await AssertResetAsync(proxy, before: Tcp4(7));
        // A whole /64 is one source.
        using RawClient six = await ServedAsync(proxy, before: "PROXY TCP6 2001:db8::7 2001:db8::1 1000 80\r\n"), otherSix = await ServedAsync(proxy, before: "PROXY TCP6 2001:db8:0:1::7 2001:db8::1 1000 80\r\n");
        await AssertResetAsync(proxy, before: "PROXY TCP6 2001:db8::8 2001:db8::1 1000 80\r\n");
        first.Dispose();
        await AllEndedAsync(proxy, left: 3);
        using RawClient again = await ServedAsync(proxy, before: Tcp4(7));
    }

    [Test]
    public async Task TcpConnectionsAreCounted()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => With(new() { ConnectionsMax = 1 }, listener => listener with { Tcp = new() { Cluster = "app" } })(config) with { Routes = new Dictionary<string, RouteConfig>() });
        for (int round = 0; round < 2; round++)
        {
            using (RawClient served = await ServedAsync(proxy)) await AssertResetAsync(proxy);
            await AllEndedAsync(proxy);
        }
    }

    [Test]
    public async Task ConnectionsOfATrustedProxyAreNotCounted()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { ConnectionsMax = 1 }, listener => listener with { TrustedProxies = ["127.0.0.1"] }));
        using RawClient first = await ServedAsync(proxy), second = await ServedAsync(proxy), other = await ServedAsync(proxy, "127.0.0.2");
        await AssertResetAsync(proxy, "127.0.0.2");
    }

    [Test]
    public async Task ADryRunCountsAndServes()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { ConnectionsMax = 1, DryRun = true }));
        using RawClient first = await ServedAsync(proxy);
        Assert.That((await NextAsync(proxy, EndReason.Completed)).DryRunReason, Is.EqualTo(EndReason.None));
        using RawClient second = await ServedAsync(proxy);
        Completion completion = await NextAsync(proxy, EndReason.Completed);
        Assert.That((completion.DryRunReason, completion.DryRunPolicy), Is.EqualTo((EndReason.SourceConnectionsExceeded, "perSource")));
    }

    [Test]
    public async Task NewConnectionsComeAtARate()
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(With(new() { NewConnectionsPerSecondMax = 2, NewConnectionsBurst = 3 })(ProxyFixture.Config(Transport, origin.Address)), time);
        for (int i = 0; i < 3; i++) (await ServedAsync(proxy)).Dispose();
        await AssertResetAsync(proxy);
        Assert.That((await NextAsync(proxy, EndReason.SourceConnectionRateExceeded)).RefusedBy, Is.EqualTo("perSource"));
        (await ServedAsync(proxy, "127.0.0.2")).Dispose();
        time.Advance(TimeSpan.FromSeconds(0.5));
        (await ServedAsync(proxy)).Dispose();
        await AssertResetAsync(proxy);
    }

    private static ProxyConfig Banning(ProxyConfig config, AutoBanConfig autoBan, bool dryRule = false) => config with
    {
        AutoBan = autoBan,
        BlockRules = new Dictionary<string, BlockRuleConfig> { ["scan"] = new() { Paths = ["/scan"], DryRun = dryRule } },
        AddressLists = new Dictionary<string, AddressListConfig> { ["monitors"] = new() { Addresses = ["127.0.0.9"] } },
    };

    private static async Task ScanAsync(ProxyFixture proxy, int times, string? from = null, string fields = "", string status = "403")
    {
        using RawClient client = await proxy.ConnectAsync(Token, from);
        for (int i = 0; i < times; i++)
        {
            await client.SendAsync($"GET /scan HTTP/1.1\r\nHost: h\r\n{fields}\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
        }
    }

    [Test]
    public async Task WhoIsRefusedTooOftenIsBannedForATime()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Banning(ProxyFixture.Config(Transport, origin.Address), new() { Refusals = 3, Within = TimeSpan.FromMinutes(1), For = TimeSpan.FromMinutes(10) }), time);
        await ScanAsync(proxy, 2);
        Assert.That(proxy.Server.Bans, Is.Empty);
        (await ServedAsync(proxy)).Dispose();
        time.Advance(TimeSpan.FromMinutes(2)); // those are forgotten
        await ScanAsync(proxy, 2);
        Assert.That(proxy.Server.Bans, Is.Empty);
        await ScanAsync(proxy, 1);
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("127.0.0.1 was banned until ").And.EndWith("autoBan: 3 refusals within 1m, the last RequestBlocked by scan"));
        await AssertResetAsync(proxy);
        Assert.That((await NextAsync(proxy, EndReason.SourceBanned)).RefusedBy, Is.EqualTo("bans"));
        (await ServedAsync(proxy, "127.0.0.2")).Dispose();
        time.Advance(TimeSpan.FromMinutes(10));
        (await ServedAsync(proxy)).Dispose();
        Assert.That(proxy.Server.Bans, Is.Empty);
    }

    [Test]
    public async Task RefusalsAtAcceptCountToo()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => Banning(With(new() { ConnectionsMax = 1 })(config), new() { Refusals = 1 }));
        using RawClient first = await ServedAsync(proxy);
        await AssertResetAsync(proxy);
        Assert.That(proxy.Server.Bans.Single().Reason, Does.EndWith("the last SourceConnectionsExceeded by perSource"));
        await first.SendAsync(Get, Token);
        Assert.That(await first.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 403 "));
    }

    [Test]
    public async Task WhoIsIgnoredIsNotBannedNorIsATrustedProxyButItsClient()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => Banning(Listener(listener => listener with { TrustedProxies = ["127.0.0.1"] })(config), new() { Refusals = 2, Ignore = ["monitors"] }));
        await ScanAsync(proxy, 5, "127.0.0.9");
        await ScanAsync(proxy, 5);
        Assert.That(proxy.Server.Bans, Is.Empty);
        await ScanAsync(proxy, 2, fields: "X-Forwarded-For: 2001:db8:1:2::3\r\n");
        Assert.That(Core.Protection.Addresses.AddressBlockText.Format(proxy.Server.Bans.Single().Block), Is.EqualTo("2001:db8:1:2::/64"));
        (await ServedAsync(proxy)).Dispose();
    }

    [Test]
    public async Task ADryRunOfABanBansNobodyAndSaysSo()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => Banning(config, new() { Refusals = 2, DryRun = true }));
        await ScanAsync(proxy, 4);
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("127.0.0.1 would have been banned until "));
        Assert.That(proxy.Server.Bans, Is.Empty);
        (await ServedAsync(proxy)).Dispose();
        Completion completion = await NextAsync(proxy, EndReason.Completed);
        Assert.That((completion.DryRunReason, completion.DryRunPolicy), Is.EqualTo((EndReason.SourceBanned, "autoBan")));
    }

    [Test]
    public async Task WhatIsOnlyADryRunBansNobody()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => Banning(config, new() { Refusals = 1 }, dryRule: true));
        await ScanAsync(proxy, 3, status: "200");
        Assert.That(proxy.Server.Bans, Is.Empty);
    }
}
