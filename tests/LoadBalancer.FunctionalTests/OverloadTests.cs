using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9112 §9.4, RFC 9110 §15.6.4: a destination is not given more connections than it may have.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class OverloadTests(TransportKind transport) : ExchangeTests(transport)
{
    [Test]
    public async Task ARequestBeyondTheConnectionsOfItsDestinationIs503()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            arrived.TrySetResult();
            await go.Task.WaitAsync(t);
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Pool = new() { ConnectionsMax = 1 } } },
        });
        using RawClient first = await proxy.ConnectAsync(Token);
        using RawClient second = await proxy.ConnectAsync(Token);
        await first.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await arrived.Task.WaitAsync(Token);
        await second.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Token);
        Assert.That(await second.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 503 ").And.Contains("\r\nRetry-After: 1\r\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamOverloaded));
        go.SetResult();
        Assert.That(await first.ReadResponseAsync(Token), Does.EndWith("ok"));
        Assert.That(origin.Connections, Is.EqualTo(1));
    }
}
