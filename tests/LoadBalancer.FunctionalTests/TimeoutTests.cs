using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Each limit on time, under time that moves only when told to.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class TimeoutTests(TransportKind transport)
{
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    // Time is moved in small steps until the task is done: a step too early only finds no timer armed yet.
    private async Task AdvanceUntilAsync(Task task, TimeSpan limit)
    {
        for (TimeSpan passed = TimeSpan.Zero; !task.IsCompleted && passed < limit; passed += TimeSpan.FromMilliseconds(250))
        {
            _time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.WhenAny(task, Task.Yield().AsTask());
        }
        await task;
    }

    // What was sent before has been read once a later connection of the same loop was answered: only then may time move.
    private static async Task SettleAsync(ProxyFixture proxy)
    {
        using RawClient other = await proxy.ConnectAsync(Token);
        await other.SendAsync("GET / HTTP/1.1\r\n\r\n", Token);
        await other.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.BadRequest));
    }

    /// <summary>What the client has sent is read, time passes, and it is answered with the status, for the reason.</summary>
    private async Task AssertEndsAsync(ProxyFixture proxy, RawClient client, int status, EndReason reason)
    {
        await SettleAsync(proxy);
        Task<string> response = client.ReadResponseAsync(Token);
        await AdvanceUntilAsync(response, TimeSpan.FromHours(1));
        Assert.That(await response, Does.StartWith($"HTTP/1.1 {status} "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(reason));
    }

    [Test]
    public async Task ASlowRequestHeadGets408()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 204 No Content\r\n\r\n");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHo", Token);
        await AssertEndsAsync(proxy, client, 408, EndReason.RequestHeadTimeout);
    }

    [Test]
    public async Task ARequestHeadThatComesByteByByteGetsNoMoreTime()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 204 No Content\r\n\r\n");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nX: ", Token);
        for (int second = 0; second < 9; second++)
        {
            await SettleAsync(proxy);
            _time.Advance(TimeSpan.FromSeconds(1));
            await client.SendAsync("a", Token);
        }
        Assert.That(proxy.Completions.IsEmpty, Is.True);
        await SettleAsync(proxy);
        Task<string> response = client.ReadResponseAsync(Token);
        await AdvanceUntilAsync(response, TimeSpan.FromSeconds(1.5));
        Assert.That(await response, Does.StartWith("HTTP/1.1 408 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.RequestHeadTimeout));
    }

    [Test]
    public async Task AStalledRequestBodyGets408()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadToEndAsync(t));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf", Token);
        await AssertEndsAsync(proxy, client, 408, EndReason.RequestBodyTimeout);
    }

    [Test]
    public async Task ADestinationThatDoesNotAnswerGives504()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadToEndAsync(t));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await AssertEndsAsync(proxy, client, 504, EndReason.UpstreamHeadTimeout);
    }

    [Test]
    public async Task ADestinationThatReadsNoBodyAndDoesNotAnswerGives504()
    {
        var endPoint = new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), $"lb-{Guid.NewGuid():N}.sock"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(endPoint);
        listener.Listen();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, $"unix:{endPoint}"), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n", Token);
        using Socket destination = await listener.AcceptAsync(Token);
        await destination.ReceiveAsync(new byte[4096], Token);
        destination.Shutdown(SocketShutdown.Receive); // writing to it fails from now on; it may still answer
        await client.SendAsync("half", Token);
        await AssertEndsAsync(proxy, client, 504, EndReason.UpstreamHeadTimeout);
        File.Delete(endPoint.ToString());
    }

    [Test]
    public async Task AResponseThatStallsIsCut()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await client.ReadUntilAsync("half", Token);
        Task<string> rest = client.ReadToEndAsync(Token);
        await AdvanceUntilAsync(rest, TimeSpan.FromHours(1));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamIdleTimeout));
    }

    [Test]
    public async Task AClientThatTakesNoInterimResponsesIsCut()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            arrived.SetResult();
            string hints = $"HTTP/1.1 103 Early Hints\r\nLink: {new string('a', 30_000)}\r\n\r\n";
            while (true) await c.SendAsync(hints, t);
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { ResponseHeadTimeout = TimeSpan.FromHours(10) } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await arrived.Task.WaitAsync(Token); // no time passes while connecting
        Task<Completion> completion = proxy.Completions.NextAsync(Token);
        await AdvanceUntilAsync(completion, TimeSpan.FromHours(20));
        Assert.That((await completion).Reason, Is.EqualTo(EndReason.ClientWriteTimeout));
    }

    [Test]
    public async Task TheDeadlineOfARouteGives504()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadToEndAsync(t));
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Deadline = TimeSpan.FromSeconds(1) } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await AssertEndsAsync(proxy, client, 504, EndReason.DeadlineExceeded);
    }

    private async Task<ProxyFixture> StartLookingUpAsync()
    {
        ProxyConfig config = ProxyFixture.Config(transport, "destination.invalid:80");
        config = config with
        {
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Deadline = TimeSpan.FromSeconds(1) } },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { ConnectTimeout = TimeSpan.FromHours(10) } },
        };
        ProxyFixture proxy = await ProxyFixture.StartAsync(config, _time);
        proxy.Server.Snapshot.Clusters[0].Members.Present.Single().Resolving = new TaskCompletionSource().Task; // does not end
        return proxy;
    }

    [Test]
    public async Task TheDeadlineOfARouteHoldsWhileANameIsLookedUp()
    {
        await using ProxyFixture proxy = await StartLookingUpAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await AssertEndsAsync(proxy, client, 504, EndReason.DeadlineExceeded);
    }

    [Test]
    public async Task AClientMayLeaveWhileANameIsLookedUp()
    {
        await using ProxyFixture proxy = await StartLookingUpAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await SettleAsync(proxy);
        client.Reset();
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task AServerThatStopsWhileANameIsLookedUpLeavesNothingBehind()
    {
        ProxyFixture proxy = await StartLookingUpAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await SettleAsync(proxy);
        await proxy.DisposeAsync();
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.AnyOf(EndReason.Shutdown, EndReason.ClientAborted));
    }

    [Test]
    public async Task AnIdleConnectionIsClosedInOrder()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 204 No Content\r\n\r\n");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await client.ReadResponseAsync(Token);
        Task<string> rest = client.ReadToEndAsync(Token);
        await AdvanceUntilAsync(rest, TimeSpan.FromHours(1));
        Assert.That((await rest, client.End), Is.EqualTo(("", StreamEnd.Fin)));
    }
}

internal static class YieldExtensions
{
    // A real turn of the scheduler between two steps of the fake clock.
    internal static async Task AsTask(this System.Runtime.CompilerServices.YieldAwaitable yield)
    {
        await yield;
        await Task.Run(() => Thread.Yield());
    }
}
