using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
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

    /// <summary>A client that sends so much and no more is cut after three seconds, which <paramref name="configure"/> grants it, and not before.</summary>
    protected async Task AssertIsCutAfterThreeSecondsAsync(Func<ProxyConfig, ProxyConfig> configure, string begun, EndReason reason)
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(configure(ProxyFixture.Config(transport, origin.Address)), time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(begun, Token);
        while (proxy.Server.Contexts[0].ConnectionCount == 0) await proxy.TurnAsync(Token);
        time.Advance(TimeSpan.FromSeconds(2.9));
        await proxy.TurnAsync(Token);
        Assert.That(proxy.Server.Contexts[0].ConnectionCount, Is.EqualTo(1));
        time.Advance(TimeSpan.FromSeconds(0.2));
        await proxy.TurnAsync(Token);
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(reason));
    }

    /// <summary>A stop of the server cuts a client that has said nothing yet.</summary>
    protected async Task AssertAStopDoesNotWaitAsync(Func<ProxyConfig, ProxyConfig> configure)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, configure);
        using RawClient silent = await proxy.ConnectAsync(Token);
        while (proxy.Server.Contexts[0].ConnectionCount == 0) await proxy.TurnAsync(Token);
        await proxy.Server.StopAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Shutdown));
    }

    protected static Func<ProxyConfig, ProxyConfig> Listener(Func<ListenerConfig, ListenerConfig> change) =>
        config => config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = change(config.Listeners["main"]) } };

    protected static Func<ProxyConfig, ProxyConfig> Route(RouteConfig route) =>
        config => config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = route } };
}
