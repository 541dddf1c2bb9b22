using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Serving;
using LoadBalancer.Core.Transport;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>The server below the admin listener: what it reads, what it refuses, how its answers go out.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class RequestServerTests(TransportKind transport) : IDisposable
{
    private readonly ErrorLog _log = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task RequestsAreAnsweredOneAfterTheOtherOnOneConnection()
    {
        await using RequestServer server = await StartAsync(EchoAsync);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync("GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\nPUT /d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndWith("\r\n\r\nGET /a ?b=c h "));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\nPUT /d  h xyz"));
        await client.SendAsync("POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: x\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\nPOST /e  h abc"));
        await client.SendAsync("HEAD /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
        string head = await client.ReadToEndAsync(Token);
        Assert.That(head, Does.Contain("\r\nContent-Length: 11\r\n").And.Contain("\r\nConnection: close\r\n").And.EndWith("\r\n\r\n"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task ARequestMayComeByteByByte()
    {
        await using RequestServer server = await StartAsync(EchoAsync);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        foreach (char c in "POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: x\r\n\r\n") await client.SendAsync($"{c}", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\nPOST /e  h ab"));
    }

    [Test]
    public async Task AClientThatWaitsForContinueGetsIt()
    {
        await using RequestServer server = await StartAsync(EchoAsync);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Is.EqualTo("HTTP/1.1 100 Continue\r\n\r\n"));
        await client.SendAsync("x", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("PUT /  h x"));
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n", 400, Description = "no Host")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\nHost: h\n\n", 400)]
    [TestCase("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505)]
    [TestCase("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 501)]
    [TestCase("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400)]
    [TestCase("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n", 413)]
    [TestCase("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 0, Description = "its first byte is one too many only when it comes")]
    public async Task WhatIsMalformedOrTooLargeIsRefusedAndTheConnectionEnds(string request, int status)
    {
        await using RequestServer server = await StartAsync(EchoAsync);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync(request, Token);
        if (status == 0)
        {
            status = 413;
            await client.SendAsync(new string('x', 65537), Token);
        }
        string answer = await client.ReadToEndAsync(Token);
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} ").And.Contain($"\"status\":{status}"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
    }

    [TestCase(5000, 1, 414)]
    [TestCase(10, 17_000, 431)]
    public async Task TooLongHeadsHaveTheirStatus(int target, int field, int status)
    {
        await using RequestServer server = await StartAsync(EchoAsync);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync($"GET /{new string('a', target)} HTTP/1.1\r\nHost: h\r\nX: {new string('b', field)}\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
    }

    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nX-Slow", 408)]
    [TestCase("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 408)]
    [TestCase("", 0, Description = "nobody is owed an answer")]
    public async Task WhoIsSlowIsCut(string sent, int status)
    {
        var time = new FakeTimeProvider();
        await using RequestServer server = await StartAsync(EchoAsync, time: time);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n\r\n{sent}", Token);
        await client.ReadResponseAsync(Token);
        // In the turn in which it has sent the answer, the loop looks at what came with the request and begins the time-out.
        var turn = new Turn();
        server.Loop.Post(turn);
        await turn.Passed.Task.WaitAsync(Token);
        Task<string> reading = client.ReadToEndAsync(Token);
        time.Advance(status == 0 ? server.Options.KeepAliveTimeout - TimeSpan.FromSeconds(1) : server.Options.RequestTimeout - TimeSpan.FromSeconds(1));
        Assert.That(reading.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromSeconds(1.1));
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(50)); // and what follows, lingering
            await Task.Yield();
        }
        Assert.That(await reading, status == 0 ? Is.Empty : Does.StartWith($"HTTP/1.1 {status} "));
    }

    [Test]
    public async Task AStreamedBodyGoesOutAsItIsFlushed()
    {
        var next = new TaskCompletionSource();
        await using RequestServer server = await StartAsync(async (_, response, token) =>
        {
            await response.Body.WriteAsync("one"u8.ToArray(), token);
            await next.Task;
            await response.Body.WriteAsync("two"u8.ToArray(), token);
        });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("3\r\none\r\n", Token), Does.Contain("\r\nTransfer-Encoding: chunked\r\n"));
        next.SetResult();
        Assert.That(await client.ReadUntilAsync("0\r\n\r\n", Token), Is.EqualTo("3\r\ntwo\r\n0\r\n\r\n"));
        await client.SendAsync("GET / HTTP/1.0\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.EndWith("\r\n\r\nonetwo").And.Not.Contain("chunked"));
    }

    [Test]
    public async Task AHandlerLearnsThatItsClientIsGone([Values] bool isStreaming)
    {
        var begun = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        await using RequestServer server = await StartAsync(async (_, response, token) =>
        {
            if (isStreaming) await response.Body.WriteAsync("one"u8.ToArray(), token);
            using CancellationTokenRegistration registration = token.Register(gone.SetResult);
            begun.SetResult();
            await gone.Task;
        });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await begun.Task.WaitAsync(Token);
        client.Reset();
        await gone.Task.WaitAsync(Token);
    }

    [Test]
    public async Task AStopEndsStreamsAndIdleConnectionsAndLetsAnswersEnd()
    {
        var begun = new TaskCompletionSource();
        var end = new TaskCompletionSource();
        RequestServer server = await StartAsync(async (request, response, token) =>
        {
            if (request.Path == "/stream")
            {
                await response.Body.WriteAsync("one"u8.ToArray(), token);
                await Task.Delay(Timeout.Infinite, token);
            }
            begun.SetResult();
            await end.Task;
            await EchoAsync(request, response, token);
        });
        using RawClient idle = await RawClient.ConnectAsync(server.EndPoint!, Token), streaming = await RawClient.ConnectAsync(server.EndPoint!, Token), asking = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await streaming.SendAsync("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await streaming.ReadUntilAsync("one", Token);
        await asking.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await begun.Task.WaitAsync(Token);
        Task stopping = server.StopAsync();
        Assert.That(await idle.ReadToEndAsync(Token), Is.Empty);
        await streaming.ReadToEndAsync(Token);
        end.SetResult();
        Assert.That(await asking.ReadToEndAsync(Token), Does.Contain("\r\nConnection: close\r\n").And.EndWith("GET /  h "));
        asking.Dispose();
        await stopping.WaitAsync(Token);
        _log.TakeErrors(); // the handler that was cancelled
    }

    [Test]
    public async Task AHandlerThatFailsIsAnsweredWith500AndLogged()
    {
        await using RequestServer server = await StartAsync((_, _, _) => throw new InvalidOperationException("broken"));
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 500 ").And.Not.Contain("broken"));
        Assert.That(_log.TakeErrors(), Has.Exactly(1).Contains("broken"));
    }

    [Test]
    public async Task ALargeBodyGoesOutWholeAndWaitsForItsReader()
    {
        byte[] part = new byte[100_000];
        Array.Fill(part, (byte)'x');
        await using RequestServer server = await StartAsync(async (_, response, token) =>
        {
            for (int i = 0; i < 10; i++) await response.Body.WriteAsync(part, token);
        });
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
        string answer = await client.ReadResponseAsync(Token);
        Assert.That(answer.Length - answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4, Is.EqualTo(1_000_000));
    }

    [Test]
    public async Task ConnectionsAreBounded()
    {
        await using RequestServer server = await StartAsync(EchoAsync, connectionsMax: 1);
        using RawClient first = await RawClient.ConnectAsync(server.EndPoint!, Token);
        await first.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await first.ReadResponseAsync(Token);
        using RawClient second = await RawClient.ConnectAsync(server.EndPoint!, Token);
        Assert.That(await second.ReadToEndAsync(Token), Is.Empty);
    }

    public void Dispose() => _log.Dispose();

    [TearDown]
    public void NoInternalErrors() => Assert.That(_log.Errors, Is.Empty);

    private static async Task EchoAsync(ServedRequest request, ServedResponse response, CancellationToken token)
    {
        await Task.Yield();
        byte[] text = System.Text.Encoding.UTF8.GetBytes($"{request.Method} {request.Path} {request.Query} {request.Host} ");
        text.CopyTo(response.Body.GetSpan(text.Length));
        response.Body.Advance(text.Length);
        request.Body.CopyTo(response.Body.GetMemory(request.Body.Length));
        response.Body.Advance(request.Body.Length);
    }

    private async Task<RequestServer> StartAsync(Func<ServedRequest, ServedResponse, CancellationToken, Task> handler, TimeProvider? time = null, int connectionsMax = 100)
    {
        var server = new RequestServer(new Handler(handler), new RequestServerOptions { Name = "test", Address = "127.0.0.1:0", Transport = transport, ConnectionsMax = connectionsMax }, _log, time);
        await server.StartAsync();
        return server;
    }

    private sealed class Turn : LoopWork
    {
        internal TaskCompletionSource Passed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => Passed.SetResult();
    }

    private sealed class Handler(Func<ServedRequest, ServedResponse, CancellationToken, Task> handle) : IRequestHandler
    {
        public Task HandleAsync(ServedRequest request, ServedResponse response, CancellationToken aborted) => handle(request, response, aborted);
    }
}
