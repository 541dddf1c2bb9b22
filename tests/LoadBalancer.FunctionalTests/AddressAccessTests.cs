using System.Diagnostics.Metrics;
using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Lists of addresses that listeners allow or block, and bans.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class AddressAccessTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    private readonly TestAuthority _authority = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-access-").FullName;

    private string ListFile => Path.Combine(_directory, "bad.txt");

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static Func<ProxyConfig, ProxyConfig> With(AccessConfig? access, Func<ListenerConfig, ListenerConfig>? change = null, params (string Name, AddressListConfig List)[] lists) => config =>
        Listener(listener => (change?.Invoke(listener) ?? listener) with { Access = access })(config) with { AddressLists = lists.ToDictionary(list => list.Name, list => list.List) };

    private static AddressListConfig Of(params string[] addresses) => new() { Addresses = addresses };

    private static async Task AssertServedAsync(ProxyFixture proxy, string? from = null, string fields = "", string status = "200")
    {
        using RawClient client = await proxy.ConnectAsync(Token, from);
        await client.SendAsync($"GET /x HTTP/1.1\r\nHost: h\r\n{fields}\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
        if (status == "200") Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
    }

    private static async Task AssertResetAsync(ProxyFixture proxy, string? from, EndReason reason, string policy)
    {
        Assert.That(await IsResetAsync(proxy, from), Is.True);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.RefusedBy, completion.Status), Is.EqualTo((reason, policy, 0)));
        Assert.That(completion.Client, Does.StartWith($"{from ?? "127.0.0.1"}:"));
    }

    private static async Task<bool> IsResetAsync(ProxyFixture proxy, string? from)
    {
        try
        {
            using RawClient client = await proxy.ConnectAsync(Token, from);
            return await client.ReadToEndAsync(Token) == "" && client.End == StreamEnd.Reset;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset) // before the client knows that it is connected
        {
            return true;
        }
    }

    [Test]
    public async Task ABlockedClientIsResetAtAcceptAndAnotherIsServed()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Block = ["good", "bad"] }, null, ("good", Of("192.0.2.0/24")), ("bad", Of("127.0.0.2", "::1"))));
        await AssertServedAsync(proxy);
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
    }

    [Test]
    public async Task WhereSomeAreAllowedTheOthersAreKeptOutAndBlockGoesBeforeAllow()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Allow = ["us", "them"], Block = ["bad"] }, null,
            ("us", Of("127.0.0.0/30")), ("them", Of("127.0.1.0/24")), ("bad", Of("127.0.0.2"))));
        await AssertServedAsync(proxy);
        await AssertServedAsync(proxy, "127.0.1.9");
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
        await AssertResetAsync(proxy, "127.0.0.9", EndReason.SourceNotAllowed, "us,them");
    }

    [Test]
    public async Task ADryRunServesAndSaysWhoWouldHaveBeenKeptOut()
    {
        var counts = new List<string>();
        using MeterListener meter = Count("lb.refusals", counts);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Block = ["bad"], DryRun = true }, null, ("bad", Of("127.0.0.2"))));
        using RawClient client = await proxy.ConnectAsync(Token, "127.0.0.2");
        for (int request = 0; request < 2; request++)
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.RefusedBy, completion.DryRunReason, completion.DryRunPolicy), Is.EqualTo((EndReason.Completed, (string?)null, EndReason.SourceBlocked, "bad")));
        }
        Assert.That(counts, Is.EqualTo(new[] { "1 listener=main reason=SourceBlocked policy=bad dry_run=true" }));
    }

    [Test]
    public async Task WithTlsABlockedClientIsResetBeforeTheHandshake()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        var tls = new TlsConfig { Certificates = [new() { File = _authority.IssueFile(["h"]) }] };
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Block = ["bad"] }, listener => listener with { Tls = tls }, ("bad", Of("127.0.0.2"))));
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.StartTlsAsync("h", Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task TcpConnectionsAreLookedAtToo([Values] bool dryRun)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => With(new() { Block = ["bad"], DryRun = dryRun }, listener => listener with { Tcp = new() { Cluster = "app" } }, ("bad", Of("127.0.0.2")))(config)
            with { Routes = new Dictionary<string, RouteConfig>() });
        if (!dryRun)
        {
            await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
            return;
        }
        using (RawClient client = await proxy.ConnectAsync(Token, "127.0.0.2"))
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            client.HalfClose();
            await client.ReadToEndAsync(Token);
        }
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.DryRunReason), Is.EqualTo((EndReason.TunnelClosed, EndReason.SourceBlocked)));
    }

    [TestCase("PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\n", EndReason.SourceBlocked, "192.0.2.7:1000")]
    [TestCase("PROXY TCP6 2001:db8::7 2001:db8::1 1000 80\r\n", EndReason.SourceBlocked, "[2001:db8::7]:1000")]
    [TestCase("PROXY TCP4 192.0.3.7 192.0.2.1 1000 80\r\n", EndReason.Completed, "192.0.3.7:1000")]
    public async Task BehindAProxyHeaderTheClientInItCounts(string header, EndReason reason, string named)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Block = ["bad"] }, listener => listener with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } },
            ("bad", Of("192.0.2.0/24", "2001:db8::/32", "127.0.0.0/8")))); // the proxy itself is none of those who are looked at
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(header + Get, Token);
        if (reason == EndReason.Completed) Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        else Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Client), Is.EqualTo((reason, named)));
    }

    [TestCase("X-Forwarded-For: 192.0.2.7\r\n", "403")]
    [TestCase("X-Forwarded-For: 192.0.2.7:8080\r\n", "403")]
    [TestCase("X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\n", "403", Description = "what stands before the client's is its own word")]
    [TestCase("X-Forwarded-For: 192.0.2.7, 198.51.100.1\r\n", "200")]
    [TestCase("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 127.0.0.1\r\n", "403", Description = "through two trusted proxies, in two lines")]
    [TestCase("X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 192.0.2.7 , 127.0.0.1,\r\n", "403")]
    [TestCase("X-Forwarded-For: 192.0.2.7, unknown, 127.0.0.1\r\n", "200", Description = "nobody can say who was before")]
    [TestCase("Forwarded: for=192.0.2.7;proto=http\r\n", "403")]
    [TestCase("Forwarded: for=198.51.100.1, proto=https; For=\"[2001:db8::7]:80\"\r\n", "403")]
    [TestCase("X-Forwarded-For: 198.51.100.1\r\nForwarded: for=192.0.2.7\r\n", "200", Description = "X-Forwarded-For goes before")]
    [TestCase("", "200")]
    public async Task BehindATrustedProxyTheClientThatItNamesCounts(string fields, string status)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Block = ["bad"] }, listener => listener with { TrustedProxies = ["127.0.0.1"] }, ("bad", Of("192.0.2.0/24", "2001:db8::/32"))));
        using RawClient client = await proxy.ConnectAsync(Token);
        // The proxy's connection goes on: others come through it too.
        for (int request = 0; request < 2; request++)
        {
            await client.SendAsync($"GET /x HTTP/1.1\r\nHost: h\r\n{fields}\r\n", Token);
            string answer = await client.ReadResponseAsync(Token);
            Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} ").And.Not.Contain("close"));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.RefusedBy), Is.EqualTo(status == "403" ? (EndReason.SourceBlocked, "bad") : (EndReason.Completed, (string?)null)));
        }
    }

    [Test]
    public async Task ATrustedProxyIsNotKeptOutItself()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Allow = ["clients"] }, listener => listener with { TrustedProxies = ["127.0.0.1"] }, ("clients", Of("192.0.2.0/24"))));
        await AssertServedAsync(proxy, fields: "X-Forwarded-For: 192.0.2.7\r\n");
        await AssertServedAsync(proxy, fields: "X-Forwarded-For: 192.0.3.7\r\n", status: "403");
        await proxy.Completions.NextAsync(Token);
        await AssertServedAsync(proxy, status: "403"); // as itself it is a client like others
        await proxy.Completions.NextAsync(Token);
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceNotAllowed, "clients");
    }

    [Test]
    public async Task AFileIsFollowedAndABrokenOneChangesNothing()
    {
        File.WriteAllText(ListFile, "127.0.0.2\n");
        var counts = new List<string>();
        using MeterListener meter = Count("lb.address_list.reloads", counts);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(With(new() { Block = ["bad"] }, null, ("bad", new() { File = ListFile, Addresses = ["127.0.0.9"] }))(ProxyFixture.Config(Transport, origin.Address)), time);
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
        using RawClient kept = await proxy.ConnectAsync(Token, "127.0.0.3");
        await kept.SendAsync(Get, Token);
        await kept.ReadResponseAsync(Token);
        await proxy.Completions.NextAsync(Token);

        // As a script does it that makes lists.
        File.WriteAllText(ListFile + ".new", "# today\n127.0.0.3\n");
        File.Move(ListFile + ".new", ListFile, overwrite: true);
        time.Advance(TimeSpan.FromSeconds(10)); // seen, but perhaps still being written
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
        Assert.That(await NextAsync(proxy, time), Is.EqualTo($"address list bad ({ListFile}) was replaced: 2 blocks"));
        await AssertServedAsync(proxy, "127.0.0.2");
        await AssertResetAsync(proxy, "127.0.0.3", EndReason.SourceBlocked, "bad");
        await AssertResetAsync(proxy, "127.0.0.9", EndReason.SourceBlocked, "bad"); // that of the configuration stays
        await kept.SendAsync(Get, Token); // was let in before
        string answer = await kept.ReadToEndAsync(Token);
        Assert.That(answer, Does.StartWith("HTTP/1.1 403 ").And.Contain("Connection: close"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.SourceBlocked));

        File.WriteAllText(ListFile, "127.0.0.3\n127.0.0.300\n");
        Assert.That(await NextAsync(proxy, time), Is.EqualTo(
            $"address list bad ({ListFile}) has changed and cannot be used, the 2 blocks before stay in use: the file cannot be used: line 2: \"127.0.0.300\" is no address or block; expected \"192.0.2.7\", \"192.0.2.0/24\" or \"2001:db8::/32\""));
        await AssertResetAsync(proxy, "127.0.0.3", EndReason.SourceBlocked, "bad");
        File.Delete(ListFile);
        Assert.That(await NextAsync(proxy, time), Does.EndWith("the 2 blocks before stay in use: the file does not exist"));
        await AssertResetAsync(proxy, "127.0.0.3", EndReason.SourceBlocked, "bad");
        File.WriteAllText(ListFile, "# today\n127.0.0.3\n");
        Assert.That(await NextAsync(proxy, time), Is.EqualTo($"address list bad ({ListFile}) is again the one in use"));
        File.WriteAllText(ListFile, "");
        Assert.That(await NextAsync(proxy, time), Does.EndWith("was replaced: 1 blocks"));
        await AssertServedAsync(proxy, "127.0.0.3");
        Assert.That(counts, Is.EqualTo(new[] { "replaced", "refused", "refused", "replaced" }.Select(outcome => $"1 list=bad outcome={outcome}")));
    }

    [Test]
    public async Task AListOfAHundredThousandIsReadAtStart()
    {
        File.WriteAllLines(ListFile, Enumerable.Range(0, 100_000).Select(i => i % 2 == 0 ? $"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" : $"2001:db8:{i >> 8:x}:{i & 255:x}::/64").Append("127.0.0.2"));
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { Block = ["bad"] }, null, ("bad", new() { File = ListFile })));
        await AssertResetAsync(proxy, "127.0.0.2", EndReason.SourceBlocked, "bad");
        await AssertServedAsync(proxy);
        File.AppendAllLines(ListFile, ["127.0.0.1"]);
        Assert.That(proxy.Server.ReloadAddressLists(), Is.EqualTo(1));
        await AssertResetAsync(proxy, null, EndReason.SourceBlocked, "bad");
    }

    [Test]
    public async Task ABannedClientIsResetUntilItsBanEnds()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(Transport, origin.Address), time);
        proxy.Server.Ban("127.0.0.2/31", time.GetUtcNow().AddMinutes(10), "scans");
        Assert.That(proxy.Server.Bans.Select(ban => ban.Reason), Is.EqualTo(new[] { "scans" }));
        await AssertResetAsync(proxy, "127.0.0.3", EndReason.SourceBanned, "bans");
        await AssertServedAsync(proxy);
        time.Advance(TimeSpan.FromMinutes(10));
        await AssertServedAsync(proxy, "127.0.0.3");
        Assert.That(proxy.Server.Bans, Is.Empty);

        proxy.Server.Ban("127.0.0.3", null, "");
        await AssertResetAsync(proxy, "127.0.0.3", EndReason.SourceBanned, "bans");
        Assert.That((proxy.Server.Unban("127.0.0.3"), proxy.Server.Unban("127.0.0.3")), Is.EqualTo((true, false)));
        await AssertServedAsync(proxy, "127.0.0.3");
    }

    [Test]
    public async Task AConnectionOfABannedClientEndsWithItsNextRequest()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient banned = await proxy.ConnectAsync(Token, "127.0.0.2"), other = await proxy.ConnectAsync(Token);
        foreach (RawClient client in new[] { banned, other })
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            await proxy.Completions.NextAsync(Token);
        }
        proxy.Server.Ban("127.0.0.2", null, "");
        await banned.SendAsync(Get, Token);
        Assert.That(await banned.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 403 Forbidden\r\n").And.Contain("Connection: close"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status, completion.RefusedBy), Is.EqualTo((EndReason.SourceBanned, 403, "bans")));
        await other.SendAsync(Get, Token);
        Assert.That(await other.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task ABanOfAClientBehindATrustedProxyIsOneOfItsRequests()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { TrustedProxies = ["127.0.0.1"] }));
        proxy.Server.Ban("2001:db8:1::/48", null, "");
        await AssertServedAsync(proxy, fields: "X-Forwarded-For: 2001:db8:1:2::3\r\n", status: "403");
        await proxy.Completions.NextAsync(Token);
        await AssertServedAsync(proxy, fields: "X-Forwarded-For: 2001:db8:2:2::3\r\n");
    }

    [TestCase("0.0.0.0/0", "is wider than /8")]
    [TestCase("126.0.0.0/7", "is wider than /8")]
    [TestCase("::/0", "is wider than /16")]
    [TestCase("nobody", "is no address or block")]
    public async Task ABanThatIsAMistakeIsRefused(string block, string says)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        Assert.That(() => proxy.Server.Ban(block, null, ""), Throws.ArgumentException.With.Message.Contains(says));
        await AssertServedAsync(proxy);
        if (!block.EndsWith("/0", StringComparison.Ordinal)) return;
        proxy.Server.Ban(block, null, "", force: true);
        if (block != "::/0") await AssertResetAsync(proxy, null, EndReason.SourceBanned, "bans");
        else await AssertServedAsync(proxy); // all of IPv6, and nobody of IPv4
    }

    [Test]
    public async Task ThereAreAtMostSoManyBans()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(Transport, origin.Address) with { BansMax = 2 }, time);
        proxy.Server.Ban("192.0.2.1", time.GetUtcNow().AddMinutes(1), "");
        proxy.Server.Ban("192.0.2.2", null, "");
        Assert.That(() => proxy.Server.Ban("192.0.2.3", null, ""), Throws.InvalidOperationException.With.Message.StartsWith("there are 2 bans of at most 2"));
        proxy.Server.Ban("192.0.2.2", null, "again");
        time.Advance(TimeSpan.FromMinutes(1));
        proxy.Server.Ban("192.0.2.3", null, "");
        Assert.That(() => proxy.Server.Ban("192.0.2.4", time.GetUtcNow(), ""), Throws.ArgumentException.With.Message.StartsWith("the end lies in the past"));
    }

    private static MeterListener Count(string name, List<string> counts)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "LoadBalancer" && instrument.Name == name) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            lock (counts) counts.Add($"{value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}");
        });
        listener.Start();
        return listener;
    }

    // Two looks and what is told then.
    private static async Task<string> NextAsync(ProxyFixture proxy, FakeTimeProvider time)
    {
        time.Advance(TimeSpan.FromSeconds(10));
        time.Advance(TimeSpan.FromSeconds(1));
        return await proxy.Log.NextAsync(Token);
    }
}
