using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>A reset at every stage of an exchange, from either side. The fixture asserts at its end that nothing was left behind.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class AbortTests(TransportKind transport)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task AClientThatResetsBeforeItsFirstByteLeavesNoRecord()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        for (int i = 0; i < 10; i++) (await proxy.ConnectAsync(Token)).Reset();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
        Assert.That(proxy.Completions.IsEmpty);
    }

    [TestCase("G")]
    [TestCase("GET / HTTP/1.1\r\nHo")]
    public async Task AClientThatResetsInItsHeadIsRecordedAsAborted(string part)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(part, Token);
        client.HalfClose(); // a reset could take the bytes with it before they are read
        await client.ReadToEndAsync(Token);
        client.Reset();
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status, completion.Attempts), Is.EqualTo((EndReason.ClientAborted, 0, 0)));
        Assert.That(origin.Connections, Is.Zero);
    }

    [TestCase("Content-Length: 1000000\r\n\r\n", "some of it")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n", "4\r\nsome\r\n")]
    public async Task AClientThatResetsInItsBodyIsSeenByTheDestinationAsBroken(string framing, string part)
    {
        var end = new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.ReadUntilAsync("some", t);
            begun.TrySetResult();
            string rest = await c.ReadToEndAsync(t);
            Assert.That(rest, Does.Not.Contain("0\r\n\r\n"));
            end.TrySetResult(c.End);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\n{framing}{part}", Token);
        await begun.Task.WaitAsync(Token);
        client.Reset();
        Assert.That(await end.Task.WaitAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status), Is.EqualTo((EndReason.ClientAborted, 0)));
    }

    [Test]
    public async Task AClientThatEndsInItsBodyIsSeenByTheDestinationAsBroken()
    {
        var end = new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadToEndAsync(t);
            end.TrySetResult(c.End);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nshort", Token);
        client.HalfClose();
        Assert.That(await end.Task.WaitAsync(Token), Is.EqualTo(StreamEnd.Reset));
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task AClientThatResetsWhileItWaitsFreesTheDestination([Values(0, 1)] int requestsBefore)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            for (int i = 0; i < requestsBefore; i++)
            {
                await c.ReadUntilAsync("\r\n\r\n", t);
                await c.SendAsync(Ok, t);
            }
            await c.ReadUntilAsync("\r\n\r\n", t);
            asked.TrySetResult();
            await c.ReadToEndAsync(t);
            end.TrySetResult(c.End);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < requestsBefore; i++)
        {
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
            await proxy.Completions.NextAsync(Token);
        }
        await client.SendAsync(Get, Token);
        await asked.Task.WaitAsync(Token);
        client.Reset();
        await end.Task.WaitAsync(Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status), Is.EqualTo((EndReason.ClientAborted, 0)));
    }

    [Test]
    public async Task AClientThatHalfClosesWhileItWaitsStillGetsItsAnswer()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await go.Task.WaitAsync(t);
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        client.HalfClose();
        go.SetResult();
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200").And.EndsWith("ok"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
    }

    [TestCase("Content-Length: 50000000\r\n\r\n", "")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n", "2faf080\r\n")]
    [TestCase("Connection: close\r\n\r\n", "")]
    public async Task AClientThatResetsInItsAnswerStopsTheDestination(string framing, string before)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\n" + framing + before, t);
            try
            {
                for (int i = 0; i < 49; i++) await c.SendAsync(new byte[1_000_000], t);
                await c.ReadToEndAsync(t);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                // Broken while sending: as it should be.
            }
            end.TrySetResult();
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);
        await client.ReadAsync(100_000, Token);
        client.Reset();
        await end.Task.WaitAsync(Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status), Is.EqualTo((EndReason.ClientAborted, 200)));
    }

    [Test]
    public async Task AResetInATunnelReachesTheOtherSide([Values] bool fromClient)
    {
        var end = new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhi", t);
            await c.ReadUntilAsync("there", t);
            open.TrySetResult();
            if (!fromClient) c.Reset();
            else
            {
                await c.ReadToEndAsync(t);
                end.TrySetResult(c.End);
            }
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", Token);
        await client.ReadUntilAsync("\r\n\r\nhi", Token);
        await client.SendAsync("there", Token);
        await open.Task.WaitAsync(Token);
        if (fromClient)
        {
            client.Reset();
            Assert.That(await end.Task.WaitAsync(Token), Is.EqualTo(StreamEnd.Reset));
        }
        else
        {
            await client.ReadToEndAsync(Token);
            Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        }
        await proxy.Completions.NextAsync(Token);
        client.Dispose();
    }

    [TestCase("GET", 3)]
    [TestCase("POST", 1)]
    public async Task ADestinationThatResetsUnansweredIsTriedAgainOnlyForSafeMethods(string method, int attempts)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            c.Reset();
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        string body = method == "POST" ? "Content-Length: 0\r\n" : "";
        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: h\r\n{body}\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Attempts, origin.Connections), Is.EqualTo((EndReason.UpstreamClosed, attempts, attempts)));
    }

    [Test]
    public async Task ADestinationThatResetsInItsHeadGives502AndTheConnectionGoesOn()
    {
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            if (number > 1)
            {
                await c.SendAsync(Ok, t);
                await c.ReadToEndAsync(t);
                return;
            }
            await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Le", t);
            c.HalfClose();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Attempts), Is.EqualTo((EndReason.UpstreamClosed, 1)));
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
    }

    [TestCase("Content-Length: 1000000\r\n\r\n", "some")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n", "f4240\r\nsome")]
    [TestCase("\r\n", "some")]
    public async Task ADestinationThatResetsInItsBodyIsNeverTakenForComplete(string framing, string part)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\n" + framing + part, t);
            await seen.Task.WaitAsync(t);
            c.Reset();
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await client.ReadUntilAsync("some", Token);
        seen.SetResult();
        Assert.That(await client.ReadToEndAsync(Token), Does.Not.Contain("0\r\n\r\n"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamTruncated));
    }

    [Test]
    public async Task ADestinationThatResetsDuringTheUploadGives502()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("some", t);
            c.Reset();
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nsome", Token);
        string response = await client.ReadToEndAsync(Token);
        Assert.That(response, Does.StartWith("HTTP/1.1 502 ").And.Contains("Connection: close\r\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamClosed));
    }

    [Test]
    public async Task AnAnswerBeforeTheBodyWasReadReachesTheClient()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig!", t);
            c.HalfClose();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nsome", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 413 ").And.EndsWith("big!"));
        client.Reset();
    }
}
