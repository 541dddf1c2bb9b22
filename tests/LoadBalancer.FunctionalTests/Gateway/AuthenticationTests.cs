using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>A balancer with one policy, before a destination that answers with the head it was sent.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public abstract class AuthenticationTests
{
    private readonly ScriptedOrigin _origin = ScriptedOrigin.AnsweringWithHead();
    private readonly List<RawClient> _clients = [];

    protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private protected FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    private protected ProxyFixture Proxy { get; private set; } = null!;

    private protected long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    [TearDown]
    public async Task EndAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (Proxy is not null) await Proxy.DisposeAsync();
        await _origin.DisposeAsync();
    }

    private protected Task StartAsync(PolicyConfig policy, Func<ProxyConfig, ProxyConfig>? change = null) =>
        StartAsync(new Dictionary<string, PolicyConfig> { ["who"] = policy }, ["who"], change);

    private protected async Task StartAsync(IReadOnlyDictionary<string, PolicyConfig> policies, IReadOnlyList<string> names, Func<ProxyConfig, ProxyConfig>? change = null)
    {
        ProxyConfig config = ProxyFixture.Config(TransportKind.Auto, _origin.Address);
        config = config with { Policies = policies, Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Policies = names } } };
        Proxy = await ProxyFixture.StartAsync(change?.Invoke(config) ?? config, Time);
    }

    /// <summary>What is answered to a request with these header lines: of one that was forwarded, with the head that arrived.</summary>
    private protected async Task<string> AskAsync(string lines, string start = "GET /a?b=c HTTP/1.1", string body = "")
    {
        RawClient client = await Proxy.ConnectAsync(Token);
        _clients.Add(client);
        return await AskAsync(client, lines, start, body);
    }

    private protected static async Task<string> AskAsync(RawClient client, string lines, string start = "GET /a?b=c HTTP/1.1", string body = "")
    {
        await client.SendAsync($"{start}\r\nHost: api.test\r\n{lines}\r\n{body}", Token);
        return await client.ReadResponseAsync(Token);
    }
}
