using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>What a policy can see and do, by policies written here.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(10_000)]
public sealed class PolicyTests(TransportKind transport) : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2026-01-02T03:04:05Z", null));
    private readonly HeldOrigin _origin = new();
    private readonly List<RawClient> _clients = [];
    private ProxyFixture _proxy = null!;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
    }

    private async Task<RawClient> StartAsync(IRoutePolicy policy, Func<RouteConfig, RouteConfig>? change = null, Func<ProxyConfig, ProxyConfig>? also = null)
    {
        ProxyConfig config = ProxyFixture.Config(transport, _origin.Address);
        RouteConfig route = config.Routes["all"] with { Policies = ["mine"] };
        config = config with
        {
            Policies = new Dictionary<string, PolicyConfig> { ["mine"] = new CustomPolicyConfig(policy) },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = change?.Invoke(route) ?? route },
        };
        _proxy = await ProxyFixture.StartAsync(also?.Invoke(config) ?? config, _time);
        return await ConnectAsync();
    }

    private async Task<RawClient> ConnectAsync()
    {
        RawClient client = await _proxy.ConnectAsync(Token);
        _clients.Add(client);
        return client;
    }

    private async Task<string> ForwardAsync(RawClient client, string request, string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    {
        await client.SendAsync(request, Token);
        string arrived = await _origin.ArrivedAsync(Token);
        _origin.Answer(answer);
        return arrived;
    }

    private static ValueTask<PolicyAnswer?> Pass => default;

    private sealed class Requests(Func<RequestContext, ValueTask<PolicyAnswer?>> look) : IRequestPolicy
    {
        public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context) => look(context);
    }

    private sealed class Answers(Func<ResponseContext, ValueTask> look) : IResponsePolicy
    {
        public ValueTask OnResponseAsync(ResponseContext context) => look(context);
    }

    [Test]
    public async Task ARequestThatIsLeftAloneIsForwardedAsItCame()
    {
        RawClient client = await StartAsync(new Requests(_ => Pass));
        string arrived = await ForwardAsync(client, "GET /a%2Fb?x=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a:  2\r\n\r\n");
        Assert.That(arrived, Does.StartWith("GET /a%2Fb?x=1 HTTP/1.1\r\n").And.Contain("X-A: 1\r\nx-a:  2\r\n"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\nok", Token), Does.StartWith("HTTP/1.1 200 OK\r\n"));
    }

    [Test]
    public async Task WhoeverAsksForTheContentTwiceAtOnceGetsItTwice()
    {
        var read = new List<string>();
        RawClient client = await StartAsync(new Requests(async context =>
        {
            Task<ReadOnlyMemory<byte>?> first = context.ReadBodyAsync(100).AsTask(), second = context.ReadBodyAsync(100).AsTask();
            foreach (ReadOnlyMemory<byte>? body in await Task.WhenAll(first, second)) read.Add(body is { } bytes ? Encoding.ASCII.GetString(bytes.Span) : "none");
            return null;
        }));
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", Token);
        await client.ReadUntilAsync("100 Continue\r\n\r\n", Token);
        Assert.That(await ForwardAsync(client, "hello"), Does.Contain("\r\nContent-Length: 5\r\n"));
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Assert.That(read, Is.EqualTo(new[] { "hello", "hello" }));
    }

    [Test]
    public async Task WhoeverAsksForTheContentOfAnAnswerTwiceAtOnceGetsItTwice()
    {
        var read = new List<string>();
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", token);
            await reading.Task.WaitAsync(token);
            await connection.SendAsync("hello", token);
        });
        RawClient client = await StartAsync(new Answers(async context =>
        {
            Task<ReadOnlyMemory<byte>?> first = context.ReadBodyAsync(100).AsTask(), second = context.ReadBodyAsync(100).AsTask();
            reading.SetResult();
            foreach (ReadOnlyMemory<byte>? body in await Task.WhenAll(first, second)) read.Add(body is { } bytes ? Encoding.ASCII.GetString(bytes.Span) : "none");
        }), also: config => config with { Clusters = ProxyFixture.Config(transport, origin.Address).Clusters });
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\nhello", Token), Does.StartWith("HTTP/1.1 200 OK"));
        Assert.That(read, Is.EqualTo(new[] { "hello", "hello" }));
    }

    [Test]
    public async Task APolicyChangesEverythingOfAHead()
    {
        RawClient client = await StartAsync(new Requests(context =>
        {
            Assert.That((context.Method, context.PathText, context.QueryText, context.Host), Is.EqualTo(("GET", "/a", "x=1", "h")));
            context.Method = "DELETE";
            context.SetTarget("/b/../c%41", "y=2");
            context.Fields.Set("X-A", "new");
            context.Fields.Remove("X-B");
            context.Fields.Append("X-C", "3");
            return Pass;
        }));
        string arrived = await ForwardAsync(client, "GET /a?x=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-B: 2\r\nX-A: 4\r\nX-C: 2\r\n\r\n");
        Assert.That(arrived, Does.StartWith("DELETE /cA?y=2 HTTP/1.1\r\n").And.Contain("\r\nX-A: new\r\n").And.Contain("\r\nX-C: 2\r\nX-C: 3\r\n").And.Not.Contain("X-B").And.Not.Contain("X-A: 4"));
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That(record.Reason, Is.EqualTo(EndReason.Completed));
        Assert.That(record.Target, Is.EqualTo("/a?x=1"), "the log tells of the request that came");
        // The connection goes on.
        Assert.That(await ForwardAsync(client, "GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith("DELETE /cA?y=2 "));
    }

    [Test]
    public async Task AClientCannotHaveAFieldOfAPolicyDroppedByNamingItInConnection()
    {
        RawClient client = await StartAsync(new Requests(context =>
        {
            context.Fields.Set("X-User", "7");
            return Pass;
        }));
        string arrived = await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\nX-User: 1\r\nConnection: X-User, close\r\n\r\n");
        Assert.That(arrived, Does.Contain("\r\nX-User: 7\r\n").And.Not.Contain("X-User: 1"));
        Assert.That(await client.ReadToEndAsync(Token), Does.Contain("\r\nConnection: close\r\n"));
    }

    [Test]
    public async Task WhatWouldEndALineCannotBeSet()
    {
        RawClient client = await StartAsync(new Requests(context =>
        {
            Assert.That(() => context.Fields.Set("X-A", "1\r\nX-B: 2"), Throws.ArgumentException);
            Assert.That(() => context.Fields.Set("X A", "1"), Throws.ArgumentException);
            Assert.That(() => context.Fields.Append("Content-Length", "1"), Throws.ArgumentException);
            Assert.That(() => context.Fields.Append("transfer-encoding", "chunked"), Throws.ArgumentException);
            Assert.That(() => context.SetTarget("/a b"), Throws.ArgumentException);
            Assert.That(() => context.SetTarget("a"), Throws.ArgumentException);
            Assert.That(() => context.SetTarget("/%"), Throws.ArgumentException);
            Assert.That(() => context.SetTarget("/a", "\r\n"), Throws.ArgumentException);
            Assert.That(() => context.Method = "GET /", Throws.ArgumentException);
            Assert.That(() => context.Method = "CONNECT", Throws.ArgumentException);
            return Pass;
        }));
        Assert.That(await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), Does.Contain("GET /a HTTP/1.1\r\n"));
    }

    [Test]
    public async Task APolicyAnswersItself()
    {
        var fields = new HeaderFields();
        fields.Set("Content-Type", "application/json");
        RawClient client = await StartAsync(new Requests(_ => new(new PolicyAnswer(201, EndReason.Responded) { Fields = fields, Body = "{}"u8.ToArray() })));
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadUntilAsync("{}", Token), Does.StartWith("HTTP/1.1 201 Created\r\n").And.Contain("\r\nContent-Type: application/json\r\n").And.Contain("\r\nContent-Length: 2\r\n"));
        }
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Status, record.RefusedBy), Is.EqualTo((EndReason.Responded, 201, (string?)null)));
    }

    [Test]
    public async Task ARefusalIsNotedWithWhatTheClientDoesNotHear()
    {
        RawClient client = await StartAsync(new Requests(_ => new(PolicyAnswer.Refuse(403, EndReason.Forbidden, "the role is missing"))));
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("403 Forbidden\n", Token), Does.Not.Contain("role"));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.RefusedBy, record.Detail), Is.EqualTo((EndReason.Forbidden, "mine", "the role is missing")));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task APolicyThatThrowsFailsClosed(bool atOnce)
    {
        RawClient client = await StartAsync(new Requests(async _ =>
        {
            if (!atOnce) await Task.Yield();
            throw new InvalidOperationException("broken");
        }));
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("500 Internal Server Error\n", Token), Does.StartWith("HTTP/1.1 500 "));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.RefusedBy, record.Detail), Is.EqualTo((EndReason.PolicyFailed, "mine", "broken")));
        Assert.That(_proxy.Log.TakeErrors(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task APolicyThatTakesTooLongIsNotWaitedFor()
    {
        var never = new TaskCompletionSource<PolicyAnswer?>();
        CancellationToken aborted = default;
        RawClient client = await StartAsync(new Requests(context =>
        {
            aborted = context.Aborted;
            return new(never.Task);
        }));
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _proxy.TurnAsync(Token);
        while (!aborted.CanBeCanceled) await _proxy.TurnAsync(Token);
        await _proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.That(await client.ReadUntilAsync("504 Gateway Timeout\n", Token), Does.StartWith("HTTP/1.1 504 "));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.PolicyTimeout));
        Assert.That(aborted.IsCancellationRequested);
        never.SetResult(null);
    }

    [TestCase("Content-Length: 5\r\n\r\nhello")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")]
    public async Task APolicyReadsTheBody(string body)
    {
        string? read = null;
        RawClient client = await StartAsync(new Requests(async context =>
        {
            if (await context.ReadBodyAsync(5) is not { } bytes) return null;
            read = Encoding.ASCII.GetString(bytes.Span);
            return null;
        }));
        int head = body.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        // The body after its head, a byte at a time.
        await client.SendAsync("POST /a HTTP/1.1\r\nHost: h\r\n" + body[..head], Token);
        foreach (char c in body[head..]) await client.SendAsync(c.ToString(), Token);
        string arrived = await _origin.ArrivedAsync(Token);
        _origin.Answer(HeldOrigin.Ok("ok"));
        Assert.That(read, Is.EqualTo("hello"));
        Assert.That(arrived, Does.Contain("\r\nContent-Length: 5\r\n").And.Not.Contain("chunked"));
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.RequestBytes), Is.EqualTo((EndReason.Completed, 5L)));
    }

    [Test]
    public async Task ABodyThatIsTooLongIsRefusedWhateverThePolicyMakesOfIt()
    {
        RawClient client = await StartAsync(new Requests(async context =>
        {
            await context.ReadBodyAsync(4);
            return null;
        }));
        await client.SendAsync("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 413 "));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.RequestBodyTooLarge));
    }

    [Test]
    public async Task WhoExpectsAContinueGetsItWhenAPolicyWantsTheBody()
    {
        RawClient client = await StartAsync(new Requests(async context =>
        {
            await context.ReadBodyAsync(100);
            return null;
        }));
        await client.SendAsync("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Is.EqualTo("HTTP/1.1 100 Continue\r\n\r\n"));
        await client.SendAsync("hi", Token);
        Assert.That(await _origin.ArrivedAsync(Token), Does.Not.Contain("Expect"));
        _origin.Answer(HeldOrigin.Ok("ok"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\nok", Token), Does.StartWith("HTTP/1.1 200 "));
    }

    [TestCase("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nold")]
    [TestCase("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n")]
    public async Task APolicyGivesTheRequestAnotherBody(string request)
    {
        RawClient client = await StartAsync(new Requests(context =>
        {
            context.Method = "PUT";
            context.SetBody("brand new"u8.ToArray());
            return Pass;
        }));
        for (int i = 0; i < 2; i++)
        {
            string arrived = await ForwardAsync(client, request);
            Assert.That(arrived, Does.Contain("PUT /a ").And.Contain("\r\nContent-Length: 9\r\n"));
            Assert.That(await client.ReadUntilAsync("\r\n\r\nok", Token), Does.StartWith("HTTP/1.1 200 "));
        }
    }

    [Test]
    public async Task APolicyChoosesTheCluster()
    {
        await using var other = new HeldOrigin();
        RawClient client = await StartAsync(new Requests(context =>
        {
            Assert.That(context.TryChooseCluster("none"), Is.False);
            Assert.That(context.TryChooseCluster("other"));
            return Pass;
        }), also: config => config with
        {
            Clusters = new Dictionary<string, ClusterConfig>(config.Clusters) { ["other"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["o"] = new() { Address = other.Address } } } },
        });
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await other.ArrivedAsync(Token);
        other.Answer(HeldOrigin.Ok("other"));
        await client.ReadUntilAsync("\r\n\r\nother", Token);
    }

    [Test]
    public async Task APolicyAsksACluster()
    {
        ClusterResponse? told = null;
        RawClient client = await StartAsync(new Requests(async context =>
        {
            told = await context.SendAsync("app", new ClusterRequest { Method = "POST", Target = "/check?u=1", Body = "who"u8.ToArray() });
            return null;
        }));
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await _origin.ArrivedAsync(Token), Does.StartWith("POST /check?u=1 HTTP/1.1\r\n").And.Contain("\r\nContent-Length: 3\r\n"));
        _origin.Answer("HTTP/1.1 202 Fine\r\nX-Role: admin\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n");
        Assert.That(await _origin.ArrivedAsync(Token), Does.Contain("GET /a HTTP/1.1\r\n"));
        _origin.Answer(HeldOrigin.Ok("ok"));
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Assert.That((told!.Status, told.Fields.Get("x-role"), Encoding.ASCII.GetString(told.Body.Span), told.Failure), Is.EqualTo((202, "admin", "yes", EndReason.None)));
    }

    [Test]
    public async Task AClusterThatIsSilentIsAskedForSoLongAndNoLonger()
    {
        ClusterResponse? told = null;
        RawClient client = await StartAsync(new Requests(async context =>
        {
            told = await context.SendAsync("app", new ClusterRequest { Target = "/check", Timeout = TimeSpan.FromSeconds(2) });
            return PolicyAnswer.Refuse(503, EndReason.PolicyUnavailable);
        }));
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _origin.ArrivedAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.That(await client.ReadUntilAsync("503 Service Unavailable\n", Token), Does.StartWith("HTTP/1.1 503 "));
        Assert.That(told!.Failure, Is.EqualTo(EndReason.DeadlineExceeded));
    }

    [Test]
    public async Task AResponsePolicyChangesTheHead()
    {
        RawClient client = await StartAsync(new Answers(context =>
        {
            Assert.That((context.Status, context.Fields.Get("x-secret"), context.IsFromCache), Is.EqualTo((200, "1", false)));
            context.Status = 203;
            context.Fields.Remove("X-Secret");
            context.Fields.Set("X-Seen", "yes");
            return default;
        }));
        for (int i = 0; i < 2; i++)
        {
            await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nX-Secret: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
            Assert.That(await client.ReadUntilAsync("\r\n0\r\n\r\n", Token), Does.StartWith("HTTP/1.1 203 ").And.Contain("\r\nX-Seen: yes\r\n").And.Not.Contain("Secret").And.Contain("2\r\nok\r\n"));
        }
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n")]
    public async Task AResponsePolicyReadsAndReplacesTheBody(string answer)
    {
        RawClient client = await StartAsync(new Answers(async context =>
        {
            if (await context.ReadBodyAsync(100) is not { } body) return;
            context.SetBody(Encoding.ASCII.GetBytes($"<{Encoding.ASCII.GetString(body.Span)}>"));
        }));
        for (int i = 0; i < 2; i++)
        {
            await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", answer);
            Assert.That(await client.ReadUntilAsync("<old>", Token), Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contain("\r\nContent-Length: 5\r\n").And.Not.Contain("chunked"));
        }
        Assert.That(_origin.Connections, Is.EqualTo(1), "the destination's connection is used again");
    }

    [Test]
    public async Task ABodyThatComesInPiecesIsReadToTheEndOfItsConnection()
    {
        string big = new('x', 300_000);
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{big}END", token);
        });
        RawClient client = await StartAsync(new Answers(async context => await context.ReadBodyAsync(1 << 20)), also: config => config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["o"] = new() { Address = origin.Address } } } },
        });
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("xEND", Token), Does.Contain("\r\nContent-Length: 300003\r\n"));
    }

    [Test]
    public async Task AnAnswerThatIsTooLongForAPolicyIsNotSent()
    {
        RawClient client = await StartAsync(new Answers(async context => await context.ReadBodyAsync(2)));
        await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", HeldOrigin.Ok("long"));
        Assert.That(await client.ReadUntilAsync("Error\n", Token), Does.StartWith("HTTP/1.1 500 "));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Detail), Is.EqualTo((EndReason.PolicyFailed, "the content is longer than the policy may read")));
    }

    [Test]
    public async Task AResponsePolicyThatThrowsHidesTheAnswer()
    {
        RawClient client = await StartAsync(new Answers(_ => throw new InvalidOperationException("broken")));
        await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.That(await client.ReadUntilAsync("Error\n", Token), Does.StartWith("HTTP/1.1 500 "));
        Assert.That(_proxy.Log.TakeErrors(), Has.Count.EqualTo(1));
        // Both connections go on.
        Assert.That(await ForwardAsync(client, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"), Does.StartWith("GET /b "));
        Assert.That(_proxy.Log.TakeErrors(), Has.Count.LessThanOrEqualTo(1));
        await client.ReadUntilAsync("Error\n", Token);
        _proxy.Log.TakeErrors();
    }

    [Test]
    public async Task AHeadKeepsTheLengthUnlessItIsForgotten()
    {
        bool forgets = false;
        RawClient client = await StartAsync(new Answers(context =>
        {
            Assert.That((context.HasBody, context.ContentLength), Is.EqualTo((false, 42L)));
            context.Fields.Set("X-Seen", "1");
            if (forgets) context.ForgetContentLength();
            return default;
        }));
        const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n";
        await ForwardAsync(client, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", Answer);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.Contain("\r\nContent-Length: 42\r\n").And.Contain("X-Seen"));
        forgets = true;
        await ForwardAsync(client, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", Answer);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.Not.Contain("Content-Length"));
    }

    [Test]
    public async Task HitsOfTheCacheAreSeenToo()
    {
        int seen = 0;
        RawClient client = await StartAsync(new Answers(async context =>
        {
            seen++;
            if (await context.ReadBodyAsync(100) is not { } body) return;
            context.SetBody(Encoding.ASCII.GetBytes($"{seen}{(context.IsFromCache ? "c" : "d")}:{Encoding.ASCII.GetString(body.Span)}"));
        }), route => route with { Cache = new() { In = "memory" } }, config => config with { Caches = new Dictionary<string, CacheConfig> { ["memory"] = new() } });
        await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok");
        await client.ReadUntilAsync("\r\n\r\n1d:ok", Token);
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n2c:ok", Token), Does.Contain("lb; hit").And.Contain("\r\nContent-Length: 5\r\n").And.Contain("\r\nAge: 0\r\n"));
    }

    [Test]
    public async Task WhatIsStoredForOneWhoIsKnownIsNotGivenToOthers()
    {
        RawClient client = await StartAsync(new Requests(context =>
        {
            // As a policy does that takes the credential out: what is behind it does not see that there was one.
            context.Fields.Remove("Authorization");
            return Pass;
        }), route => route with { Cache = new() { In = "memory" } }, config => config with { Caches = new Dictionary<string, CacheConfig> { ["memory"] = new() } });
        const string Answer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok";
        await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YTpi\r\n\r\n", Answer);
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Assert.That(await ForwardAsync(client, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Answer), Does.StartWith("GET /a "), "it is asked again");
    }

    [Test]
    public async Task VariablesOfThePathAreKnownAsTheyAreForwarded()
    {
        var seen = new List<string?>();
        RawClient client = await StartAsync(new Requests(context =>
        {
            seen.Add(context.GetPathVariable("id"));
            return Pass;
        }), route => route with { Path = "/users/{id}/items" });
        foreach (string id in (string[])["7", "a%20b", "%61", "a%2Fb", "a%5Cb", "%FF", "%C3%A9"])
        {
            await ForwardAsync(client, $"GET /users/{id}/items HTTP/1.1\r\nHost: h\r\n\r\n");
            await client.ReadUntilAsync("\r\n\r\nok", Token);
        }
        Assert.That(seen, Is.EqualTo(new[] { "7", "a b", "a", null, null, null, "é" }));
    }

    [Test]
    public async Task AClientThatLeavesWhileAPolicyDecidesIsNoted()
    {
        var never = new TaskCompletionSource<PolicyAnswer?>();
        var asked = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        RawClient client = await StartAsync(new Requests(context =>
        {
            asked.TrySetResult(context.Aborted);
            return new(never.Task);
        }));
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        CancellationToken aborted = await asked.Task;
        client.Reset();
        Assert.That((await _proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
        Assert.That(aborted.IsCancellationRequested);
        never.SetException(new OperationCanceledException());
    }
}
