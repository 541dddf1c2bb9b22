using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Listeners that forward TCP connections as they are.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class TcpTests(TransportKind transport) : TcpFixtureTests(transport)
{
    [Test]
    public async Task BytesGoBothWays()
    {
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (string message in new[] { "a", "\0\r\n", new string('x', 100_000) })
        {
            await client.SendAsync(message, Token);
            Assert.That(await client.ReadAsync(message.Length, Token), Is.EqualTo(message));
        }
        client.HalfClose();
        Assert.That((await client.ReadToEndAsync(Token), client.End), Is.EqualTo(("", StreamEnd.Fin)));
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That(record, Is.EqualTo(new Completion(EndReason.TunnelClosed, 0, "", "", null, "d0", 1, false, 100_004, 100_004)
        {
            Client = record.Client, HttpMinorVersion = -1, Balance = "latency-weighted", Tries = record.Tries,
        }));
    }

    [Test]
    public async Task ABurstOfFailuresIsToldOf()
    {
        await using ProxyFixture proxy = await StartTcpAsync([$"127.0.0.1:{SystemProgram.FreePort()}"], cluster: cluster => cluster with { Ejection = new() { Enabled = false } }, time: new FakeTimeProvider());
        for (int i = 0; i < RecentRing.BurstFailures; i++)
        {
            await AssertIsResetAsync(proxy);
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamConnectFailed));
        }
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("cluster app: requests fail in a burst; the last 10"));
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("cluster app: failed: {").And.Contain("\"end\":\"UpstreamConnectFailed\""));
    }

    [Test]
    public async Task AServerMaySpeakFirst()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.SendAsync("220 ready\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await client.ReadUntilAsync("\n", Token), Is.EqualTo("220 ready\r\n"));
    }

    [Test]
    public async Task TheClientsEndEndsOneDirectionOnly()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.SendAsync($"got {await c.ReadToEndAsync(t)}", t));
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("query", Token);
        client.HalfClose();
        Assert.That((await client.ReadToEndAsync(Token), client.End), Is.EqualTo(("got query", StreamEnd.Fin)));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelClosed));
    }

    [Test]
    public async Task TheServersEndEndsOneDirectionOnly()
    {
        var got = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.SendAsync("bye", t);
            c.HalfClose();
            got.SetResult(await c.ReadToEndAsync(t));
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That((await client.ReadToEndAsync(Token), client.End), Is.EqualTo(("bye", StreamEnd.Fin)));
        await client.SendAsync("one more", Token);
        client.HalfClose();
        Assert.That(await got.Task, Is.EqualTo("one more"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelClosed));
    }

    [TestCase(false)]
    [TestCase(true, Description = "the client's end was passed on before")]
    public async Task TheClientsResetResetsTheDestination(bool endsFirst)
    {
        var end = new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("hi", t);
            if (endsFirst) await c.ReadToEndAsync(t);
            await c.SendAsync("ho", t);
            if (!endsFirst) await c.ReadToEndAsync(t);
            else
            {
                try
                {
                    while (true) await c.SendAsync("more", t);
                }
                catch (System.Net.Sockets.SocketException)
                {
                    end.SetResult(StreamEnd.Reset);
                    return;
                }
            }
            end.SetResult(c.End);
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("hi", Token);
        if (endsFirst) client.HalfClose();
        await client.ReadUntilAsync("ho", Token);
        client.Reset();
        Assert.That(await end.Task, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task AResetIsSeenWhileItsBytesAreNotTaken()
    {
        if (Transport != TransportKind.Epoll) return; // the portable path meets it behind the bytes, when those are taken
        var done = new TaskCompletionSource();
        await using var origin = new ScriptedOrigin((_, _, _) => done.Task); // reads nothing
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new(true, 0) };
        await client.ConnectAsync(proxy.EndPoint, Token);
        client.Blocking = false;
        byte[] bytes = new byte[64 * 1024];
        for (int idleTurns = 0; idleTurns < 200; idleTurns++)
        {
            if (client.Send(bytes, SocketFlags.None, out _) > 0) idleTurns = 0;
            await proxy.TurnAsync(Token);
        }
        client.Dispose();
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
        done.SetResult();
    }

    [Test]
    public async Task TheDestinationsResetResetsTheClient()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("hi", t);
            await c.SendAsync("ho", t);
            await c.ReadUntilAsync("!", t);
            c.Reset();
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address]);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("hi", Token);
        await client.ReadUntilAsync("ho", Token);
        await client.SendAsync("!", Token);
        await client.ReadToEndAsync(Token);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamClosed));
    }

    [Test]
    public async Task ASilentConnectionIsCut()
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], tcp => tcp with { IdleTimeout = TimeSpan.FromSeconds(3) }, time: time);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync("x", Token);
            await client.ReadAsync(1, Token);
            await proxy.TurnAsync(Token);
            time.Advance(TimeSpan.FromSeconds(2.9)); // never silent for so long
            await proxy.TurnAsync(Token);
            Assert.That(proxy.Server.Contexts[0].ConnectionCount, Is.EqualTo(1));
        }
        time.Advance(TimeSpan.FromSeconds(0.2));
        await client.ReadToEndAsync(Token);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelIdle));
    }

    [Test]
    public async Task ASilentConnectionThatIsHalfClosedIsCutSooner()
    {
        var time = new FakeTimeProvider();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.SendAsync("ho", t);
            await c.ReadToEndAsync(t);
            await Task.Delay(Timeout.Infinite, t);
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], tcp => tcp with { HalfCloseTimeout = TimeSpan.FromSeconds(3) }, time: time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.ReadUntilAsync("ho", Token);
        time.Advance(TimeSpan.FromSeconds(10));
        await proxy.TurnAsync(Token);
        Assert.That(proxy.Server.Contexts[0].ConnectionCount, Is.EqualTo(1));
        client.HalfClose();
        await proxy.TurnAsync(Token);
        do
        {
            time.Advance(TimeSpan.FromSeconds(3.1)); // may come before the end does
            await proxy.TurnAsync(Token);
        }
        while (proxy.Completions.IsEmpty);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelIdle));
    }

    [Test]
    public async Task AConnectThatFailsIsTriedElsewhere()
    {
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync(["127.0.0.1:1", origin.Address], cluster: c => c with { Balance = "first" });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("x", Token);
        Assert.That(await client.ReadAsync(1, Token), Is.EqualTo("x"));
        client.HalfClose();
        await client.ReadToEndAsync(Token);
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Destination, record.Attempts), Is.EqualTo((EndReason.TunnelClosed, "d1", 2)));
    }

    [Test]
    public async Task WithNoDestinationThatCanBeReachedTheClientIsReset()
    {
        await using ProxyFixture proxy = await StartTcpAsync(["127.0.0.1:1"], cluster: c => c with { RetriesMax = 0 });
        await AssertIsResetAsync(proxy);
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Destination, record.Attempts), Is.EqualTo((EndReason.UpstreamConnectFailed, "d0", 1)));
    }

    [Test]
    public async Task WithNoDestinationAtAllTheClientIsReset()
    {
        await using ProxyFixture proxy = await StartTcpAsync([]);
        await AssertIsResetAsync(proxy);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.NoDestination));
    }

    [Test]
    public async Task ConnectingTakesOnlySoLong()
    {
        var time = new FakeTimeProvider();
        using var hole = new BlackHole();
        await hole.FillAsync(Token);
        await using ProxyFixture proxy = await StartTcpAsync([hole.Address], cluster: c => c with { RetriesMax = 0 }, time: time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await WaitForConnectionAsync(proxy);
        time.Advance(TimeSpan.FromSeconds(2.1));
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamConnectTimeout));
    }

    [Test]
    public async Task AClientThatLeavesWhileItConnectsIsNotWaitedFor()
    {
        using var hole = new BlackHole();
        await hole.FillAsync(Token);
        await using ProxyFixture proxy = await StartTcpAsync([hole.Address], time: new FakeTimeProvider());
        RawClient client = await proxy.ConnectAsync(Token);
        await WaitForConnectionAsync(proxy);
        client.Reset();
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task OpenConnectionsAreWhatIsOutstanding()
    {
        await using var one = new ScriptedOrigin(async (c, _, t) => { await c.SendAsync("1", t); await c.ReadToEndAsync(t); });
        await using var two = new ScriptedOrigin(async (c, _, t) => { await c.SendAsync("2", t); await c.ReadToEndAsync(t); });
        await using ProxyFixture proxy = await StartTcpAsync([one.Address, two.Address], cluster: c => c with { Balance = "least-outstanding" });
        var clients = new List<RawClient>();
        string got = "";
        for (int i = 0; i < 6; i++)
        {
            clients.Add(await proxy.ConnectAsync(Token));
            got += await clients[i].ReadAsync(1, Token);
        }
        Assert.That(string.Concat(got.Order()), Is.EqualTo("111222"));
        foreach (RawClient client in clients) client.Dispose();
    }

    [Test]
    public async Task AConnectionBeyondTheLimitWaitsInTheQueue()
    {
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], cluster: c => c with
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = origin.Address, RequestsMax = 1 } },
            Queue = new() { RequestsMax = 1 },
        });
        using RawClient first = await proxy.ConnectAsync(Token);
        await first.SendAsync("1", Token);
        await first.ReadAsync(1, Token);
        using RawClient second = await proxy.ConnectAsync(Token);
        await second.SendAsync("2", Token);
        await WaitForConnectionAsync(proxy, 2);
        await AssertIsResetAsync(proxy);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.QueueFull));
        first.HalfClose();
        Assert.That(await second.ReadAsync(1, Token), Is.EqualTo("2"));
    }

    [Test]
    public async Task AStopLetsConnectionsGoOnUntilTheDrainLimit()
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], time: time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("a", Token);
        await client.ReadAsync(1, Token);
        Task stopping = proxy.Server.StopAsync(Token);
        await proxy.TurnAsync(Token);
        await client.SendAsync("b", Token);
        Assert.That(await client.ReadAsync(1, Token), Is.EqualTo("b"));
        Assert.That(stopping.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromSeconds(5.1));
        await stopping;
        await client.ReadToEndAsync(Token);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Shutdown));
    }

    [TestCase(ProxyProtocolVersion.V1)]
    [TestCase(ProxyProtocolVersion.V2)]
    public async Task ADestinationThatSpeaksFirstIsToldTheClientAtOnce(ProxyProtocolVersion version)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            string header = version == ProxyProtocolVersion.V1 ? await c.ReadUntilAsync("\r\n", t) : await c.ReadAsync(28, t);
            await c.SendAsync($"[{header}]", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], cluster: c => c with { ProxyProtocol = version });
        using RawClient client = await proxy.ConnectAsync(Token);
        string got = await client.ReadUntilAsync("]", Token);
        Assert.That(got, Does.StartWith(version == ProxyProtocolVersion.V1 ? $"[PROXY TCP4 127.0.0.1 127.0.0.1 {((System.Net.IPEndPoint)client.LocalEndPoint).Port} " : "[\r\n\r\n\0\r\nQUIT\n!"));
    }

    [Test]
    public async Task WhatComesWithAProxyHeaderIsPassedOn()
    {
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], listener: l => l with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("PROXY TCP4 192.0.2.7 192.0.2.1 1234 25\r\nEHLO", Token);
        Assert.That(await client.ReadAsync(4, Token), Is.EqualTo("EHLO"));
        client.HalfClose();
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Client, Is.EqualTo("192.0.2.7:1234"));
    }
}
