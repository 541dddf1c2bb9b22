using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What fixtures share that look at one request and its answer: bytes in on one side, bytes out on the other.</summary>
public abstract class ExchangeTests(TransportKind transport)
{
    protected const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    protected TransportKind Transport => transport;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    protected Task<ProxyFixture> StartAsync(ScriptedOrigin origin, Func<ProxyConfig, ProxyConfig>? configure = null)
    {
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        return ProxyFixture.StartAsync(configure is null ? config : configure(config));
    }

    /// <summary>What the destination is sent for the request: the head, and the body up to the mark where one is given.</summary>
    protected async Task<string> ForwardedAsync(string request, string? bodyUntil = null, Func<ProxyConfig, ProxyConfig>? configure = null)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            string head = await c.ReadUntilAsync("\r\n\r\n", t);
            seen.TrySetResult(bodyUntil is null ? head : head + await c.ReadUntilAsync(bodyUntil, t));
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, configure);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        Task<string> answer = client.ReadResponseAsync(Token);
        if (await Task.WhenAny(seen.Task, answer) == answer && !seen.Task.IsCompleted) Assert.Fail($"answered without the destination: {await answer}");
        await answer;
        return await seen.Task;
    }

    /// <summary>What the client is sent when the destination, having read the request's head, says <paramref name="answer"/>.</summary>
    protected async Task<string> AnsweredAsync(
        string request, string answer, bool headOnly = false, bool closes = false, Func<ProxyConfig, ProxyConfig>? configure = null)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(answer, t);
            if (closes) c.HalfClose();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, configure);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        return await client.ReadResponseAsync(Token, headOnly);
    }

    protected static Func<ProxyConfig, ProxyConfig> Listener(Func<ListenerConfig, ListenerConfig> change) =>
        config => config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = change(config.Listeners["main"]) } };

    protected static Func<ProxyConfig, ProxyConfig> Route(RouteConfig route) =>
        config => config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = route } };
}
