using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// Destinations die, come back, join and leave under steady load, one at a time, and the clients see nothing of it: what may be repeated is, within
/// the default bounds of retries and with the default policy.
/// </summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[NonParallelizable] // it makes its own load
[CancelAfter(60_000)]
public sealed class ChurnTests(TransportKind transport)
{
    private const int Clients = 8, Some = 50;
    private readonly Dictionary<string, MortalOrigin> _present = [];
    private Task<int>[] _clients = [];

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [TestCase("latency-weighted")]
    [TestCase("round-robin")]
    public async Task KillingAndAddingDestinationsLosesNoRequest(string balance)
    {
        await using MortalOrigin a = new(), b = new(), c = new(), d = new(), e = new();
        (_present["a"], _present["b"], _present["c"]) = (a, b, c);
        ProxyConfig config = ProxyFixture.Config(transport);
        ClusterConfig cluster = config.Clusters["app"] with
        {
            Balance = balance,
            Destinations = Members(),
            SlowStart = TimeSpan.Zero,
            Ejection = new() { Duration = TimeSpan.FromMilliseconds(50), DurationMax = TimeSpan.FromMilliseconds(50) }, // so that who comes back is seen soon
        };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } });
        using var done = new CancellationTokenSource();
        _clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => AskAsync(proxy, done.Token)))];

        await AllServeAsync();
        for (int cycle = 0; cycle < 3; cycle++)
        {
            foreach ((string name, MortalOrigin origin) in _present)
            {
                await origin.KillAsync();
                await AllServeAsync(except: name);
                origin.Revive();
                await AllServeAsync();
            }
        }
        await ChangeAsync(proxy, () => _present["d"] = d); // joins
        await ChangeAsync(proxy, () => _present.Remove("a")); // leaves, alive
        await a.KillAsync();
        await AllServeAsync();
        await b.KillAsync();
        await ChangeAsync(proxy, () => _present.Remove("b")); // leaves, dead
        await ChangeAsync(proxy, () => _present["c"] = e); // the same name, another address
        await c.KillAsync();
        await AllServeAsync();

        await done.CancelAsync();
        int[] answered = await Task.WhenAll(_clients);
        TestContext.Out.WriteLine($"{answered.Sum()} answered, all with 200");
        int retries = 0;
        for (int i = 0; i < answered.Sum(); i++) retries += (await proxy.Completions.NextAsync(Token)).Attempts - 1;
        TestContext.Out.WriteLine($"{retries} retries");
        Assert.That(retries, Is.Positive, "nobody noticed");
    }

    private async Task ChangeAsync(ProxyFixture proxy, Action change)
    {
        change();
        proxy.Server.UpdateDestinations("app", Members());
        await AllServeAsync();
    }

    private Dictionary<string, DestinationConfig> Members() => _present.ToDictionary(member => member.Key, member => new DestinationConfig { Address = member.Value.Address });

    private async Task AllServeAsync(string? except = null)
    {
        Task served = Task.WhenAll(_present.Where(member => member.Key != except).Select(member => member.Value.ServedAsync(Some, Token)));
        await await Task.WhenAny([served, .. _clients]); // no client ends but by a failure
    }

    private static async Task<int> AskAsync(ProxyFixture proxy, CancellationToken done)
    {
        using RawClient client = await proxy.ConnectAsync(Token);
        int answered = 0;
        while (!done.IsCancellationRequested)
        {
            await client.SendAsync($"GET /{answered} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            string answer = await client.ReadResponseAsync(Token);
            if (!answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)) Assert.Fail($"request {answered}: {answer}");
            answered++;
        }
        return answered;
    }
}
