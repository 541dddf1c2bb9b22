using System.Text;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Tests;

/// <summary>What scripts see and do.</summary>
[CancelAfter(60_000)]
public sealed class ObjectTests
{
    // URLs: samples of the URL Standard and its tests.
    [TestCase("new URL('HTTP://User:p%40s@EXAMPLE.com:80/a/./b/../c?x=1#f').href", "\"http://User:p%40s@example.com/a/c?x=1#f\"")]
    [TestCase("new URL('../c?d', 'https://h:8443/a/b/').href", "\"https://h:8443/a/c?d\"")]
    [TestCase("new URL('//other/x', 'https://h/a').href", "\"https://other/x\"")]
    [TestCase("new URL('?q', 'https://h/a?b#c').href", "\"https://h/a?q\"")]
    [TestCase("new URL('#n', 'https://h/a?b#c').href", "\"https://h/a?b#n\"")]
    [TestCase("new URL('/%2e%2E/x y\"<>', 'http://h').pathname", "\"/x%20y%22%3C%3E\"")]
    [TestCase("new URL('http:\\\\\\\\h\\\\a').href", "\"http://h/a\"")]
    [TestCase("new URL('http://0x7f.1/').host", "\"127.0.0.1\"")]
    [TestCase("new URL('http://[2001:DB8:0:0:0:0:0:1]:81/').host", "\"[2001:db8::1]:81\"")]
    [TestCase("new URL('http://bücher.example/').hostname", "\"xn--bcher-kva.example\"")]
    [TestCase("['http://', 'nothing', 'http://a b/', 'http://h:99999/', 'file:///etc/passwd', 'http://256.1.1.1/', 'http://[::1', 'javascript:1'].map(u => URL.canParse(u))", "[false,false,false,false,false,false,false,false]")]
    [TestCase("(() => { const u = new URL('http://h/?a=1'); u.searchParams.set('b', 'x y'); u.pathname = '/p?q'; u.hash = 'z'; return u.href })()", "\"http://h/p%3Fq?a=1&b=x+y#z\"")]
    [TestCase("[...new URLSearchParams('?a=1&a=2&b=%C3%A9+x&c')]", "[[\"a\",\"1\"],[\"a\",\"2\"],[\"b\",\"é x\"],[\"c\",\"\"]]")]
    [TestCase("new URLSearchParams({ a: '1 2', 'b&': 'é*' }).toString()", "\"a=1+2&b%26=%C3%A9*\"")]
    [TestCase("(() => { const p = new URLSearchParams('b=2&a=1&b=3'); p.sort(); p.delete('b', '2'); p.append('c', 4); return [p.toString(), p.size, p.has('b', '3'), p.getAll('b'), p.get('zz')] })()", "[\"a=1&b=3&c=4\",3,true,[\"3\"],null]")]
    // Headers
    [TestCase("(() => { const h = new Headers([['X-A', '1'], ['x-a', ' 2 ']]); h.append('B', 'x'); h.set('b', 'y'); h.delete('nope'); return [h.get('X-a'), h.has('B'), [...h], [...h.keys()]] })()", "[\"1, 2\",true,[[\"b\",\"y\"],[\"x-a\",\"1, 2\"]],[\"b\",\"x-a\"]]")]
    [TestCase("(() => { const h = new Headers(); h.append('Set-Cookie', 'a=1'); h.append('Set-Cookie', 'b=2'); return [h.getSetCookie(), [...h.entries()].length] })()", "[[\"a=1\",\"b=2\"],2]")]
    [TestCase("(() => { try { new Headers({ 'X-A': 'a\\r\\nX-B: 1' }) } catch (e) { return e.constructor.name } })()", "\"TypeError\"")]
    [TestCase("(() => { try { new Headers().set('a b', '1') } catch (e) { return e instanceof TypeError } })()", "true")]
    [TestCase("(() => { try { new Headers().set('Content-Length', '1') } catch (e) { return e instanceof TypeError } })()", "true")]
    // Response
    [TestCase("[new Response('é').headers.get('content-type'), await new Response('é').text(), [...await new Response('é').bytes()]]", "[\"text/plain;charset=UTF-8\",\"é\",[195,169]]")]
    [TestCase("[Response.json({ a: [1] }, { status: 201 }).status, await Response.json({ a: [1] }).json(), Response.json(1).headers.get('content-type')]", "[201,{\"a\":[1]},\"application/json\"]")]
    [TestCase("[Response.redirect('/x').status, Response.redirect('/x', 308).headers.get('Location')]", "[302,\"/x\"]")]
    [TestCase("[100, 600, 'x'].map(status => { try { new Response('', { status }) } catch (e) { return e.constructor.name } })", "[\"TypeError\",\"TypeError\",\"TypeError\"]")]
    [TestCase("class { static async f() { return 1 } }.f() instanceof Promise", "true")]
    // Bytes and text
    [TestCase("[atob('aGk='), btoa('hi'), atob(' YQ '), btoa('\\xff')]", "[\"hi\",\"aGk=\",\"a\",\"/w==\"]")]
    [TestCase("['a', 'a===', '!!!!'].map(t => { try { return atob(t) } catch { return null } })", "[null,null,null]")]
    [TestCase("[...new TextEncoder().encode('€')]", "[226,130,172]")]
    [TestCase("new TextDecoder().decode(new Uint8Array([0xEF, 0xBB, 0xBF, 226, 130, 172, 255]))", "\"€�\"")]
    [TestCase("(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])) } catch (e) { return e.message } })()", "\"the bytes are no UTF-8\"")]
    // Digests: FIPS 180-4 "abc"; RFC 4231 case 2
    [TestCase("crypto.hex(crypto.sha256('abc'))", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"")]
    [TestCase("crypto.hex(crypto.sha512('abc')).slice(0, 16) + crypto.hex(crypto.sha384('abc')).slice(0, 16)", "\"ddaf35a193617abacb00753f45a35e8b\"")]
    [TestCase("crypto.hex(crypto.hmac('sha256', 'Jefe', 'what do ya want for nothing?'))", "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"")]
    [TestCase("[crypto.base64url(new Uint8Array([251, 255])), [...crypto.base64urlDecode('-_8')]]", "[\"-_8\",[251,255]]")]
    [TestCase("[crypto.timingSafeEqual('a', new Uint8Array([97])), crypto.timingSafeEqual('a', 'ab'), crypto.randomBytes(8).length, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/.test(crypto.randomUUID())]", "[true,false,8,true]")]
    // The clock is the proxy's
    [TestCase("[Date.now(), new Date().toISOString(), new Date(2026, 0, 1).getTimezoneOffset()]", "[1767323045000,\"2026-01-02T03:04:05.000Z\",0]")]
    public async Task AnExpressionHasItsValue(string expression, string expected) => Assert.That(await ScriptRun.EvaluateAsync(expression), Is.EqualTo(expected));

    [Test]
    public async Task ARequestIsReadAndChanged()
    {
        var run = new ScriptRun("""
            export async function onRequest(request, context) {
                const seen = [request.method, request.url, request.host, request.path, request.query.get("a"), request.headers.get("x-user"), await request.json(), context.params.id, context.client.address, context.env.region, context.route, context.listener, context.identity];
                request.method = "POST";
                request.path = "/v2" + request.path;
                request.query.set("b", "2");
                request.headers.set("X-Seen", JSON.stringify(seen));
                request.headers.delete("x-user");
                request.setBody(JSON.stringify({ n: 2 }));
                context.cluster = "other";
                context.log.set("user", "anna");
            }
            """) { Exchange = new FakeExchange { Method = "PUT", Path = "/users/7", Query = "a=1", RequestBody = "{\"n\":1}"u8.ToArray(), IsEncrypted = true } };
        run.Exchange.Variables["id"] = "7";
        run.Exchange.RequestFields.Set("Host", "h.example");
        run.Exchange.RequestFields.Set("X-User", "anna");
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error, Is.Null);
        Assert.That(outcome.Value!.Type, Is.EqualTo(Jint.Runtime.Types.Undefined));
        FakeExchange exchange = run.Exchange;
        Assert.Multiple(() =>
        {
            Assert.That(exchange.RequestFields.Get("x-seen"), Is.EqualTo("[\"PUT\",\"https://h.example/users/7?a=1\",\"h.example\",\"/users/7\",\"1\",\"anna\",{\"n\":1},\"7\",\"192.0.2.7\",\"eu\",\"api\",\"web\",null]"));
            Assert.That((exchange.Method, exchange.Path, exchange.Query, exchange.Cluster), Is.EqualTo(("POST", "/v2/users/7", "a=1&b=2", "other")));
            Assert.That(exchange.RequestFields.Get("x-user"), Is.Null);
            Assert.That(exchange.RequestBody, Is.EqualTo("{\"n\":2}"u8.ToArray()));
            Assert.That(exchange.LogFields["user"], Is.EqualTo("anna"));
        });
    }

    [Test]
    public async Task AnAnswerIsChanged()
    {
        var run = new ScriptRun("""
            export async function onResponse(response, context) {
                const body = await response.json();
                response.status = 201;
                response.headers.set("X-Path", context.request.path);
                response.setBody(JSON.stringify({ ...body, more: true }));
                try { context.request.path = "/x" } catch (e) { response.headers.set("X-Error", e.message) }
            }
            """) { Exchange = new FakeExchange { Path = "/p", ResponseBody = "{\"a\":1}"u8.ToArray() } };
        Assert.That((await run.ResponseAsync()).Error, Is.Null);
        Assert.Multiple(() =>
        {
            Assert.That(run.Exchange.Status, Is.EqualTo(201));
            Assert.That(run.Exchange.ResponseBody, Is.EqualTo("{\"a\":1,\"more\":true}"u8.ToArray()));
            Assert.That(run.Exchange.ResponseFields.Get("x-path"), Is.EqualTo("/p"));
            Assert.That(run.Exchange.ResponseFields.Get("x-error"), Is.EqualTo("the request has been sent: it cannot be changed any more"));
        });
    }

    [Test]
    public async Task StateGoesFromRequestToResponse()
    {
        var run = new ScriptRun("export function onRequest(request, context) { context.state = { n: [1] } } export function onResponse(response, context) { response.headers.set('X-N', context.state.n[0]) }");
        await run.RequestAsync();
        run.Last!.Close();
        await run.ResponseAsync();
        Assert.That(run.Exchange.ResponseFields.Get("x-n"), Is.EqualTo("1"));
    }

    [Test]
    public async Task FetchAsksTheCluster()
    {
        var run = new ScriptRun("""
            export async function onRequest(request) {
                const answer = await fetch("cluster:auth/check?u=1#x", { method: "post", headers: { "X-A": "1" }, body: "hi" });
                return new Response([answer.status, answer.ok, answer.headers.get("x-b"), await answer.text()].join());
            }
            """);
        run.Exchange.Answer = (_, _) => new(FakeExchange.Response(403, "no", ("X-B", "2")));
        Assert.That(Text(await run.AnswerAsync()), Is.EqualTo("403,false,2,no"));
        (string cluster, Core.Policies.ClusterRequest sent) = run.Exchange.Sent.Single();
        Assert.That((cluster, sent.Method, sent.Target, sent.Fields.Get("x-a"), Encoding.UTF8.GetString(sent.Body.Span)), Is.EqualTo(("auth", "POST", "/check?u=1", "1", "hi")));
        Assert.That(sent.Timeout, Is.EqualTo(TimeSpan.FromSeconds(5)));
    }

    [TestCase("await fetch('https://example.com/')", "fetch takes \"cluster:name/path\"")]
    [TestCase("await fetch('cluster:other/')", "may not fetch from \"other\"")]
    [TestCase("await fetch('cluster:')", "may not fetch from \"\"")]
    [TestCase("await fetch('file:///etc/passwd')", "fetch takes")]
    [TestCase("for (let i = 0; i < 9; i++) await fetch('cluster:auth/')", "more than 8 times")]
    [TestCase("await fetch('cluster:auth/', { body: 'x' })", "GET has no body")]
    [TestCase("context.cluster = 'nope'", "there is no cluster \"nope\"")]
    [TestCase("request.path = 'x'", "that is no path")]
    [TestCase("kv.set('a', {})", "kv keeps strings and numbers")]
    [TestCase("new Response({})", "content is a string")]
    [TestCase("context.state = () => 1", "context.state has no JSON")]
    [TestCase("request.setBody('x'.repeat(2000000))", "longer than bodyBytesMax")]
    [TestCase("const get = request.headers.get; get('a')", "illegal invocation")]
    [TestCase("const { sha256 } = crypto; sha256('a')", "illegal invocation")]
    public async Task WhatIsWrongIsAnError(string body, string expected)
    {
        ScriptError error = await ScriptRun.FailAsync(body);
        Assert.That(error.Message, Does.Contain(expected));
        Assert.That(error.IsOverrun, Is.False);
    }

    [Test]
    public async Task ACallThatWaitsLeavesTheEngineToNobody()
    {
        var run = new ScriptRun("export async function onRequest(request) { const text = await request.text(); return new Response(text) }");
        var held = run.Exchange.HeldBody = new TaskCompletionSource<ReadOnlyMemory<byte>?>();
        SynchronizationContext.SetSynchronizationContext(null);
        ValueTask<ScriptOutcome> running = run.RequestAsync();
        bool isReleased = false;
        run.Last!.Released = _ => isReleased = true;
        Assert.That(running.IsCompleted, Is.False);
        held.SetResult("body"u8.ToArray());
        Assert.That(running.IsCompleted, Is.True);
        Assert.That(isReleased, Is.False);
        Assert.That(Text((ResponseObject)(await running).Value!), Is.EqualTo("body"));
        run.Last.Close();
        Assert.That(isReleased, Is.True);
    }

    [Test]
    public async Task AFetchThatHasFailedAlreadyRunsNothingBefore()
    {
        var run = new ScriptRun("export async function onRequest() { const order = []; const p = fetch('cluster:auth/').catch(e => order.push(e.message)); order.push('first'); await p; for (;;); }", new ScriptLimits { StatementsMax = 1000 });
        run.Exchange.Answer = (_, _) => ValueTask.FromException<Core.Policies.ClusterResponse>(new ArgumentException("no such cluster"));
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error!.Message, Is.EqualTo("more than 1000 statements"));
    }

    [Test]
    public async Task AFetchThatIsNotWaitedForKeepsTheEngineOnly()
    {
        var run = new ScriptRun("export function onRequest() { fetch('cluster:auth/'); return new Response('early') }");
        var held = new TaskCompletionSource<Core.Policies.ClusterResponse>();
        run.Exchange.Answer = (_, _) => new(held.Task);
        SynchronizationContext.SetSynchronizationContext(null);
        ValueTask<ScriptOutcome> running = run.RequestAsync();
        bool isReleased = false;
        run.Last!.Released = _ => isReleased = true;
        Assert.That(Text((ResponseObject)(await running).Value!), Is.EqualTo("early"));
        run.Last.Close();
        Assert.That(isReleased, Is.False);
        held.SetResult(FakeExchange.Response(200, ""));
        Assert.That(isReleased, Is.True);
    }

    private static string Text(ResponseObject response) => Encoding.UTF8.GetString(response.Body.Span);
}
