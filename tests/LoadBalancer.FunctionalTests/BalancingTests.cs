using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Policies at work in a cluster. What each does is tested with the scheduler; here, that requests reach it and that it learns.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class BalancingTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private static readonly string[] Policies = [.. ConfigRanges.BalancePolicies.Except(ConfigRanges.HashPolicies)];

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [TestCaseSource(nameof(Policies))]
    public async Task EveryPolicyHasRequestsAnsweredAlsoPastADeadDestination(string balance)
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two");
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig { Balance = balance, Probe = balance == ConfigRanges.ProbingPolicy ? new() : null }, one.Address, "127.0.0.1:1", two.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 30; i++) Assert.That(await AskAsync(client, "/", ""), Is.AnyOf("one", "two"));
    }

    [TestCase("consistent-hash", "header:X-User", "/", "X-User: ")]
    [TestCase("consistent-hash", "cookie:s", "/", "Cookie: a=1; s=")]
    [TestCase("rendezvous", "query:id", "/?x=1&id=", "")]
    [TestCase("rendezvous", "path", "/p/", "")]
    public async Task AHashedPartAlwaysLeadsToTheSameDestination(string balance, string hashOn, string target, string field)
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two"), three = Named("three");
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig { Balance = balance, HashOn = hashOn }, one.Address, two.Address, three.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        async Task<string> Of(int key) => field.Length == 0 ? await AskAsync(client, $"{target}{key}", "") : await AskAsync(client, target, $"{field}{key}\r\n");
        var first = new string[30];
        for (int key = 0; key < first.Length; key++) first[key] = await Of(key);
        Assert.That(first.Distinct().Count(), Is.EqualTo(3), "30 keys spread over three");
        for (int key = 0; key < first.Length; key++) Assert.That(await Of(key), Is.EqualTo(first[key]));
    }

    [Test]
    public async Task ARequestWithoutTheHashedPartIsSpread()
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two");
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig { Balance = "consistent-hash", HashOn = "header:X-User" }, one.Address, two.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        var seen = new HashSet<string>();
        for (int i = 0; i < 60; i++) seen.Add(await AskAsync(client, "/", ""));
        Assert.That(seen, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task ASplitSendsEachClusterItsShare()
    {
        await using ScriptedOrigin stable = Named("stable"), canary = Named("canary");
        ProxyConfig config = ProxyFixture.Config(transport);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>
            {
                ["all"] = new() { Split = new Dictionary<string, int> { ["stable"] = 3, ["canary"] = 1, ["off"] = 0 } },
                ["testers"] = new() { Headers = new Dictionary<string, string> { ["X-Canary"] = "yes" }, Cluster = "canary" },
            },
            Clusters = new Dictionary<string, ClusterConfig> { ["stable"] = Of(stable), ["canary"] = Of(canary), ["off"] = new() },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        int canaries = 0;
        for (int i = 0; i < 400; i++) canaries += await AskAsync(client, "/", "") == "canary" ? 1 : 0;
        Assert.That(canaries, Is.InRange(50, 150)); // 100 expected; 5.8 standard deviations
        for (int i = 0; i < 10; i++) Assert.That(await AskAsync(client, "/", "X-Canary: yes\r\n"), Is.EqualTo("canary"));

        static ClusterConfig Of(ScriptedOrigin origin) => new() { Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = origin.Address } } };
    }

    private Task<ProxyFixture> StartAsync(ClusterConfig cluster, params string[] destinations)
    {
        ProxyConfig config = ProxyFixture.Config(transport, destinations);
        return ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster with { Destinations = config.Clusters["app"].Destinations } },
        });
    }

    private static ScriptedOrigin Named(string name) => ScriptedOrigin.Answering($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");

    private static async Task<string> AskAsync(RawClient client, string target, string field)
    {
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n{field}\r\n", Token);
        string response = await client.ReadResponseAsync(Token);
        return response[(response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }
}
