using System.Text;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Tests;

/// <summary>What one call leaves to the next: nothing.</summary>
[CancelAfter(60_000)]
public sealed class IsolationTests
{
    [TestCase("Object.prototype.x = 1", "({}).x")]
    [TestCase("Object.defineProperty(Object.prototype, 'x', { value: 1 })", "({}).x")]
    [TestCase("({}).__proto__.x = 1", "({}).x")]
    [TestCase("({ a: {} })['a']['__proto__']['x'] = 1", "({}).x")]
    [TestCase("Array.prototype.push = () => 666", "[].push(1)")]
    [TestCase("Array.prototype[0] = 1", "[,][0]")]
    [TestCase("String.prototype.split = () => 1", "'a'.split('')")]
    [TestCase("Object.setPrototypeOf(Object.prototype, { x: 1 })", "({}).x")]
    [TestCase("Object.setPrototypeOf(Array.prototype, { x: 1 })", "[].x")]
    [TestCase("globalThis.foo = 1", "globalThis.foo")]
    [TestCase("globalThis.fetch = () => 1", "typeof fetch")]
    [TestCase("JSON.parse = () => 1", "JSON.parse('2')")]
    [TestCase("Promise.prototype.then = () => {}", "typeof Promise.prototype.then")]
    [TestCase("console.log = 1", "typeof console.log")]
    [TestCase("kv.get = 1", "typeof kv.get")]
    [TestCase("crypto.x = 1", "crypto.x")]
    [TestCase("Headers.prototype.get = () => 'evil'", "new Headers().get('a')")]
    [TestCase("Response.json = 1", "typeof Response.json")]
    [TestCase("Object.getPrototypeOf(request).x = 1", "request.x")]
    [TestCase("Object.getPrototypeOf(context).x = 1", "context.x")]
    [TestCase("Object.getPrototypeOf(request.headers).x = 1", "request.headers.x")]
    [TestCase("Object.getPrototypeOf(context.log).x = 1", "context.log.x")]
    [TestCase("context.env.region = 'us'", "context.env.region")]
    [TestCase("(function* () {})().__proto__.__proto__.x = 1", "(function* () {})().x")]
    [TestCase("[][Symbol.iterator]().__proto__.next = () => ({ done: true })", "[...[1]].length")]
    [TestCase("new Map().entries().__proto__.x = 1", "new Map().entries().x")]
    [TestCase("(async () => {}).__proto__.x = 1", "(async () => {}).x")]
    [TestCase("(() => {}).__proto__.x = 1", "(() => {}).x")]
    [TestCase("Error.prototype.name = 'X'", "new Error().name")]
    [TestCase("Error.stackTraceLimit = 0", "1")]
    [TestCase("/(b)/.exec('abc')", "RegExp.$1")]
    [TestCase("/(b)/.exec('abc')", "RegExp.lastMatch")]
    [TestCase("onRequest.x = 1", "onRequest.x")]
    [TestCase("helper.x = 1", "helper.x")]
    [TestCase("table.user = 'x'", "table.user")]
    [TestCase("table.list.push(1)", "table.list.length")]
    [TestCase("Thing.prototype.x = 1", "new Thing().x")]
    [TestCase("self.onRequest = 1", "typeof self.onRequest")]
    [TestCase("Symbol.iterator.x = 1", "Symbol.iterator.x")]
    [TestCase("new Uint8Array(1).__proto__.__proto__.x = 1", "new Uint8Array(1).x")]
    [TestCase("Date.now = () => 1", "Date.now()")]
    [TestCase("Math.random = () => 1", "Math.random.length")]
    public async Task WhatOneCallChangesTheNextDoesNotSee(string change, string look)
    {
        const string modules = "import * as self from './gateway.js';\nconst table = { list: [] }; function helper() {} class Thing {}\n";
        string source = modules + $$"""
            export function onRequest(request, context) {
                if (request.path === "/change") { try { {{change}} } catch (e) { if (!(e instanceof TypeError)) throw e } return; }
                return new Response(JSON.stringify({{look}} ?? null));
            }
            """;
        string expected = Text(await new ScriptRun(source).AnswerAsync());
        var run = new ScriptRun(source) { Exchange = new FakeExchange { Path = "/change" } };
        Assert.That((await run.RequestAsync()).Error, Is.Null);
        run.Last!.Close();
        run.Exchange = new FakeExchange();
        Assert.That(Text(await run.AnswerAsync()), Is.EqualTo(expected));
    }

    [Test]
    public async Task NothingThatCallsShareCanBeExtended()
    {
        // Walks all that a script can get at, and tries.
        const string source = """
            function walk() {
                const seen = new Set(), bad = [];
                const go = (o, path) => {
                    if ((typeof o !== "object" && typeof o !== "function") || o === null || seen.has(o)) return;
                    seen.add(o);
                    if (!Object.isFrozen(o)) bad.push(path);
                    for (const key of Reflect.ownKeys(o)) {
                        const p = Object.getOwnPropertyDescriptor(o, key);
                        go(p.value, path + "." + String(key)); go(p.get, path + ".get " + String(key)); go(p.set, path + ".set " + String(key));
                    }
                    go(Object.getPrototypeOf(o), path + ".__proto__");
                };
                go(globalThis, "globalThis");
                for (const [name, value] of Object.entries({ gen: function* () {}, asyncGen: async function* () {}, async: async () => {}, arrayIterator: [].values().__proto__, mapIterator: new Map().keys().__proto__,
                    setIterator: new Set().keys().__proto__, stringIterator: ""[Symbol.iterator]().__proto__, matchIterator: "a".matchAll(/a/g).__proto__, helper: [].values().map(x => x).__proto__,
                    wrap: Iterator.from({ next() {} }).__proto__, segment: (function () { return Object.getPrototypeOf(arguments) })() }))
                    go(name === "gen" || name === "asyncGen" || name === "async" ? Object.getPrototypeOf(value) : value, name);
                return bad;
            }
            export function onRequest(request, context) {
                const bad = walk();
                for (const o of [request, request.headers, request.query, context, context.log, new Headers(), new Response(), new URL("http://h/"), new URLSearchParams(), new TextEncoder(), new TextDecoder()])
                    if (!Object.isFrozen(Object.getPrototypeOf(o))) bad.push("prototype of " + o);
                return new Response(bad.join("\n"));
            }
            """;
        Assert.That(Text(await new ScriptRun(source, new ScriptLimits { AllocatedBytesMax = 256 << 20 }).AnswerAsync()), Is.Empty);
    }

    [TestCase("const e = new Error('a'); e.name = 'Mine'; e.message = 'b'; e.name = 'Mine2'; String(e)", "\"Mine2: b\"")]
    [TestCase("class E extends Error { constructor(m) { super(m); this.name = 'E' } }; String(new E('x'))", "\"E: x\"")]
    [TestCase("const o = {}; o.toString = () => 'mine'; `${o}`", "\"mine\"")]
    [TestCase("const o = { constructor: 1, toString: 2 }; o.constructor + o.toString", "3")]
    [TestCase("function F() {} F.prototype = { a: 1 }; F.prototype.constructor = F; new F().a", "1")]
    [TestCase("const b = new Uint8Array(2); [b instanceof Uint8Array, b.constructor === Uint8Array, Uint8Array.from([1, 2]).length, b.map(x => x + 1)[0], new Headers() instanceof Headers, Uint8Array.BYTES_PER_ELEMENT]", "[true,true,2,1,true,1]")]
    [TestCase("class Mine extends Response { more() { return this.status } }; new Mine('a', { status: 201 }).more()", "201")]
    [TestCase("const o = JSON.parse('{\"__proto__\": {\"x\": 1}}'); [o.x === undefined, ({}).x === undefined, Object.keys(o)[0]]", "[true,true,\"__proto__\"]")]
    public async Task WhatIsFrozenCanBeHidden(string statements, string expected)
    {
        int last = statements.LastIndexOf(';');
        var run = new ScriptRun($$"""export function onRequest() { {{statements[..(last + 1)]}} return new Response(JSON.stringify({{statements[(last + 1)..]}})) }""");
        Assert.That(Text(await run.AnswerAsync()), Is.EqualTo(expected));
    }

    [Test]
    public async Task IsolatedCallsShareNotEvenModuleVariables()
    {
        const string source = "let n = 0; export function onRequest() { Object.prototype.x = ++n; return new Response(String(n)) }";
        var run = new ScriptRun(source, isIsolated: true);
        var pool = new EnginePool(run.Host, e => throw e);
        for (int i = 0; i < 3; i++)
        {
            ScriptEngine engine = pool.TryTake(run.Program)!;
            var call = new ScriptCall(engine, new FakeExchange(), isResponse: false) { Released = pool.Release };
            ScriptOutcome outcome = await call.Run(engine.OnRequest!);
            Assert.That(Text((Objects.ResponseObject)outcome.Value!), Is.EqualTo("1"));
            call.Close();
        }
        Assert.That(pool.Count, Is.Zero);
    }

    [Test]
    public void ModuleVariablesAreNamed() => Assert.That(new ScriptRun("let n = 0; var [a, { b }] = [1, {}]; const c = 1; export function onRequest() {}").Program.Variables, Is.EqualTo(new[] { "gateway.js: n", "gateway.js: a", "gateway.js: b" }));

    [Test]
    public async Task WhatAScriptKeepsOfARequestIsDead()
    {
        var run = new ScriptRun("let kept; export function onRequest(request) { if (kept) return new Response(kept.path); kept = request; }");
        await run.RequestAsync();
        run.Last!.Close();
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error!.Message, Is.EqualTo("TypeError: it belongs to a request that is over"));
    }

    private static string Text(Objects.ResponseObject response) => Encoding.UTF8.GetString(response.Body.Span);

    // What the promises of a call that has thrown have queued runs in that call, and not in the next one's.
    [TestCase("throw new Error('x')")]
    [TestCase("null.x")]
    [TestCase("return Promise.reject(new Error('x'))")]
    public async Task ACallThatThrowsLeavesNothingToRun(string end)
    {
        var run = new ScriptRun($$"""
            export function onRequest(request, context) {
                if (request.path === "/next") return;
                Promise.resolve().then(() => request.headers.set("X-Late", "yes"));
                {{end}};
            }
            """);
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error, Is.Not.Null);
        Assert.That(run.Exchange.RequestFields.Get("X-Late"), Is.EqualTo("yes"));
        run.Last!.Close();
        Assert.That(run.Last.IsEngineSound);
        run.Exchange = new FakeExchange();
        run.Exchange.SetTarget("/next", "");
        Assert.That((await run.RequestAsync()).Error, Is.Null);
        Assert.That(run.Exchange.RequestFields.Get("X-Late"), Is.Null);
    }

    [Test]
    public async Task WhatACallThatThrowsLeavesIsBoundedToo()
    {
        var run = new ScriptRun("""
            export function onRequest() {
                Promise.resolve().then(() => { while (true); });
                throw new Error("x");
            }
            """, new ScriptLimits { StatementsMax = 10_000 });
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error!.Message, Does.Contain("x"));
        run.Last!.Close();
        Assert.That(run.Last.IsEngineSound, Is.False);
    }
}
