using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>Scripts between real sockets.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(60_000)]
public sealed class ScriptTests(TransportKind transport) : IAsyncDisposable
{
    private readonly HeldOrigin _origin = new(), _other = new();
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly List<RawClient> _clients = [];
    private ProxyFixture _proxy = null!;
    private ScriptPolicy _policy = null!;
    private bool _isOtherDown;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private string File => Path.Combine(_folder, "gateway.js");

    public async ValueTask DisposeAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
        if (!_isOtherDown) await _other.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Makes a policy that the test can reach.</summary>
    private sealed record Watched(ScriptConfig Script, Action<ScriptPolicy> Made) : PolicyConfig
    {
        public override string Kind => "script";

        protected internal override IRoutePolicy Create(PolicyServices services)
        {
            var policy = (ScriptPolicy)Script.Create(services);
            Made(policy);
            return policy;
        }
    }

    private async Task<RawClient> StartAsync(string source, Func<ScriptConfig, ScriptConfig>? change = null, string? path = null)
    {
        await System.IO.File.WriteAllTextAsync(File, source, Token);
        ScriptConfig script = new() { File = File, Clusters = ["other"], Env = new Dictionary<string, string> { ["region"] = "eu" } };
        ProxyConfig config = ProxyFixture.Config(transport, _origin.Address);
        ClusterConfig other = ProxyFixture.Config(transport, _other.Address).Clusters.Values.Single();
        config = config with
        {
            Clusters = new Dictionary<string, ClusterConfig>(config.Clusters) { ["other"] = other },
            Policies = new Dictionary<string, PolicyConfig> { ["mine"] = new Watched(change?.Invoke(script) ?? script, policy => _policy = policy) },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Policies = ["mine"], Path = path ?? config.Routes["all"].Path } },
        };
        _proxy = await ProxyFixture.StartAsync(config);
        return await ConnectAsync();
    }

    private async Task<RawClient> ConnectAsync()
    {
        RawClient client = await _proxy.ConnectAsync(Token);
        _clients.Add(client);
        return client;
    }

    private static async Task<string> AskAsync(RawClient client, string request, string end)
    {
        await client.SendAsync(request, Token);
        return await client.ReadUntilAsync(end, Token);
    }

    [Test]
    public async Task ARequestIsChangedInAllItsParts()
    {
        RawClient client = await StartAsync("""
            export async function onRequest(request, context) {
                const body = await request.json();
                request.method = "PUT";
                request.path = "/v2" + request.path;
                request.query.set("b", "ü");
                request.headers.set("X-Id", context.params.id + context.env.region + context.client.address);
                request.headers.delete("X-Old");
                request.setBody(JSON.stringify({ n: body.n + 1 }));
                context.log.set("n", body.n);
            }
            """, path: "/users/{id}");
        await client.SendAsync("POST /users/7?a=1 HTTP/1.1\r\nHost: h\r\nX-Old: 1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"n\":1}\r\n0\r\n\r\n", Token);
        string arrived = await _origin.ArrivedAsync(Token);
        _origin.Answer(HeldOrigin.Ok("ok"));
        Assert.That(arrived, Does.StartWith("PUT /v2/users/7?a=1&b=%C3%BC HTTP/1.1\r\n").And.Contain("X-Id: 7eu127.0.0.1\r\n").And.Contain("Content-Length: 7\r\n").And.Not.Contain("X-Old").And.Not.Contain("chunked"));
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Completion completion = await _proxy.Completions.NextAsync(Token);
        Assert.That(completion.Reason, Is.EqualTo(EndReason.Completed));
    }

    [Test]
    public async Task AScriptAnswers()
    {
        RawClient client = await StartAsync("export function onRequest() { return Response.json({ a: 1 }, { status: 418, headers: { 'X-A': 'b' } }) }");
        string answer = await AskAsync(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "{\"a\":1}");
        Assert.That(answer, Does.StartWith("HTTP/1.1 418 ").And.Contain("X-A: b\r\n").And.Contain("Content-Type: application/json\r\n").And.Contain("Content-Length: 7\r\n"));
        Assert.That(_origin.Requests, Is.Zero);
    }

    [Test]
    public async Task AnAnswerIsChangedInAllItsParts()
    {
        RawClient client = await StartAsync("""
            export function onRequest(request, context) { context.state = { started: 5 } }
            export async function onResponse(response, context) {
                response.status = 203;
                response.headers.set("X-Started", context.state.started);
                response.setBody((await response.text()).toUpperCase() + "!");
            }
            """);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _origin.ArrivedAsync(Token);
        _origin.Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        Assert.That(await client.ReadUntilAsync("OK!", Token), Does.StartWith("HTTP/1.1 203 ").And.Contain("X-Started: 5\r\n").And.Contain("Content-Length: 3\r\n"));
    }

    [Test]
    public async Task ACallThatFetchesKeepsNobodyWaiting()
    {
        RawClient slow = await StartAsync("""
            export async function onRequest(request) {
                if (request.path !== "/slow") return new Response("quick");
                const answer = await fetch("cluster:other/check?x=1", { method: "POST", body: "b", headers: { "X-A": "1" } });
                return new Response(await answer.text() + answer.headers.get("x-b"), { status: answer.status });
            }
            """);
        RawClient quick = await ConnectAsync();
        await slow.SendAsync("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await _other.ArrivedAsync(Token), Does.StartWith("POST /check?x=1 HTTP/1.1\r\n").And.Contain("X-A: 1\r\n"));
        for (int i = 0; i < 3; i++) Assert.That(await AskAsync(quick, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "quick"), Does.StartWith("HTTP/1.1 200 "));
        _other.Answer("HTTP/1.1 201 Created\r\nX-B: c\r\nContent-Length: 4\r\n\r\nslow");
        Assert.That(await slow.ReadUntilAsync("slowc", Token), Does.StartWith("HTTP/1.1 201 "));
    }

    [Test]
    public async Task AFetchFromAClusterThatIsDownIsAnErrorThatCanBeCaught()
    {
        RawClient client = await StartAsync("export async function onRequest() { try { await fetch('cluster:other/') } catch (e) { return new Response(e.message + '.') } }");
        await _other.DisposeAsync();
        _isOtherDown = true;
        Assert.That(await AskAsync(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "fetch has failed: "), Does.Contain("HTTP/1.1 200 "));
    }

    [TestCase("while (true);", "more than")]
    [TestCase("const a = []; while (true) a.push('x'.repeat(1000))", "allocated more than")]
    [TestCase("(function f() { return 1 + f() })()", "too deep")]
    [TestCase("new Proxy({}, { get(t, k, r) { return r[k] } }).x", "")]
    [TestCase("null.x", "TypeError")]
    [TestCase("await new Promise(() => {})", "nothing will keep")]
    [TestCase("await fetch('http://169.254.169.254/')", "no other URL")]
    [TestCase("return 5", "expected nothing, the request or a Response")]
    public async Task WhatFailsIsRefusedAndTheNextRequestIsServed(string body, string expected)
    {
        RawClient client = await StartAsync($$"""export async function onRequest(request) { if (request.path === "/bad") { {{body}} } return new Response("good") }""", c => c with { Timeout = TimeSpan.FromSeconds(10), StatementsMax = 100_000, Memory = 4 << 20 });
        Assert.That(await AskAsync(client, "GET /bad HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n"), Does.StartWith("HTTP/1.1 500 "));
        Completion completion = await _proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.RefusedBy), Is.EqualTo((EndReason.PolicyFailed, "mine")));
        Assert.That(completion.Detail, Does.Contain(expected));
        Assert.That(_proxy.Log.TakeErrors().Single(), Does.Contain("script mine: onRequest has failed at ").And.Contain(expected));
        RawClient next = await ConnectAsync();
        Assert.That(await AskAsync(next, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "good"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(_origin.Requests, Is.Zero);
    }

    [Test]
    public async Task WhatFailsGoesOnWhereThatIsChosen()
    {
        RawClient client = await StartAsync("export function onRequest(request) { request.headers.set('X-Before', '1'); while (true); }", c => c with { Timeout = TimeSpan.FromSeconds(10), StatementsMax = 10_000, OnError = ScriptErrorAction.Continue });
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await _origin.ArrivedAsync(Token), Does.Contain("X-Before: 1\r\n"));
        _origin.Answer(HeldOrigin.Ok("ok"));
        await client.ReadUntilAsync("\r\n\r\nok", Token);
        Assert.That(_proxy.Log.TakeErrors(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task AnAnswerWhoseScriptFailsIsNotSent()
    {
        RawClient client = await StartAsync("export function onResponse() { null.x }");
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _origin.ArrivedAsync(Token);
        _origin.Answer(HeldOrigin.Ok("secret"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 500 "));
        Assert.That(_proxy.Log.TakeErrors().Single(), Does.Contain("script mine: onResponse has failed at "));
    }

    [Test]
    public async Task ABodyThatIsTooLongIsRefused()
    {
        RawClient client = await StartAsync("export async function onRequest(request) { await request.text() }", c => c with { BodyBytesMax = 4 });
        Assert.That(await AskAsync(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "\r\n\r\n"), Does.StartWith("HTTP/1.1 413 "));
    }

    [Test]
    public async Task WhatOneRequestPollutesAnotherDoesNotSee()
    {
        RawClient client = await StartAsync("""
            export async function onRequest(request) {
                const merge = (to, from) => { for (const key of Object.keys(from)) { if (typeof from[key] === "object") merge(to[key] ??= {}, from[key]); else to[key] = from[key] } };
                if (request.method === "POST") { try { merge({}, await request.json()) } catch { } }
                return new Response(String(({}).admin));
            }
            """);
        Assert.That(await AskAsync(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 29\r\n\r\n{\"__proto__\":{\"admin\":\"yes\"}}", "undefined"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "undefined"), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task AScriptIsReplacedUnderLoadWithoutAFailedRequest()
    {
        RawClient first = await StartAsync("export async function onRequest(request) { if (request.path === '/quick') return new Response('v1~'); const a = await fetch('cluster:other/'); return new Response('v1' + await a.text()) }");
        // One call is in the middle of it.
        await first.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _other.ArrivedAsync(Token);
        using var stop = new CancellationTokenSource();
        int version = 2;
        var seen = new HashSet<string>();
        Task load = Task.Run(async () =>
        {
            RawClient client = await ConnectAsync();
            while (!stop.IsCancellationRequested || !seen.Contains("v20~")) // it may not have its turn between the last two
            {
                string answer = await AskAsync(client, "GET /quick HTTP/1.1\r\nHost: h\r\n\r\n", "~");
                Assert.That(answer, Does.StartWith("HTTP/1.1 200 "));
                seen.Add(answer[answer.LastIndexOf('v')..]);
            }
        }, Token);
        for (; version <= 20; version++)
        {
            await System.IO.File.WriteAllTextAsync(File, $"export function onRequest() {{ return new Response('v{version}~') }}", Token);
            Assert.That(_policy.Source.Look(settles: false), Is.EqualTo(Core.Files.SourceChange.Replaced));
            await System.IO.File.WriteAllTextAsync(File, "export function onRequest( {", Token);
            Assert.That(_policy.Source.Look(settles: false), Is.EqualTo(Core.Files.SourceChange.Refused));
            if (version == 2) Assert.That(await AskAsync(await ConnectAsync(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "~"), Does.EndWith("v2~"));
        }
        await stop.CancelAsync();
        await load;
        Assert.That(seen, Does.Contain("v20~"));
        _other.Answer(HeldOrigin.Ok("done"));
        Assert.That(await first.ReadUntilAsync("v1done", Token), Does.StartWith("HTTP/1.1 200 "));
    }
}
