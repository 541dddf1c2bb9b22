using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Tests;

/// <summary>What a script cannot use up.</summary>
[CancelAfter(60_000)]
public sealed class BudgetTests
{
    private static readonly ScriptLimits Limits = new() { StatementsMax = 200_000, AllocatedBytesMax = 8 << 20, RecursionMax = 200 };

    [TestCase("while (true);")]
    [TestCase("for (;;) {}")]
    [TestCase("do {} while (1)")]
    [TestCase("try { while (true); } catch { } finally { while (true); }")]
    [TestCase("function* g() { for (;;) yield 1 } for (const x of g());")]
    [TestCase("await (async () => { for (;;) await null })()")]
    [TestCase("const f = () => f(); f()")]
    [TestCase("(function f() { return 1 + f() })()")]
    [TestCase("const o = { get a() { return this.a + 1 } }; o.a")]
    [TestCase("const m = new Map(); for (;;) m.set({}, {})")]
    [TestCase("let s = 'x'; while (true) s += s")]
    [TestCase("const a = []; while (true) a.push({})")]
    [TestCase("'x'.repeat(5e8)")]
    [TestCase("'xy'.repeat(2e8)")]
    [TestCase("'x'.padEnd(5e8)")]
    [TestCase("'x'.padStart(5e8, 'abc')")]
    [TestCase("new Array(1e9).fill(0)")]
    [TestCase("Array.from({ length: 1e9 })")]
    [TestCase("[...Array(1e8).keys()]")]
    [TestCase("new ArrayBuffer(2e9)")]
    [TestCase("new Uint8Array(1e9)")]
    [TestCase("new Float64Array(1e9)")]
    [TestCase("new (new Uint8Array(1).constructor)(1e9)")]
    [TestCase("Array(500).fill('x'.repeat(1e6)).join('')")]
    [TestCase("'x'.repeat(30000).replaceAll('x', 'y'.repeat(17000))")]
    [TestCase("'x'.repeat(30000).replace(/x/g, 'y'.repeat(17000))")]
    [TestCase("'x'.repeat(30000).replace(/x/g, '$`')")]
    [TestCase("JSON.stringify(Array(1000).fill('x'.repeat(1e6)))")]
    [TestCase("''.concat(...Array(1000).fill('x'.repeat(1e6)))")]
    [TestCase("'a,'.repeat(1e6).split(',')")]
    [TestCase("/(a+)+$/.test('a'.repeat(40) + '!')")]
    [TestCase("new RegExp('(x+x+)+y').test('x'.repeat(50))")]
    [TestCase("let r = []; for (let i = 0; i < 1e6; i++) r = [r]; String(r)")]
    public async Task AnOverrunEndsTheCall(string body)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        ScriptError error = await ScriptRun.FailAsync(body, Limits);
        Assert.Multiple(() =>
        {
            Assert.That(error.IsOverrun, Is.True, error.Message);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(64L << 20));
        });
    }

    // Errors of the language, which the script could catch: they cost nothing.
    [TestCase("JSON.parse('['.repeat(1e5))")]
    [TestCase("2n ** 100000000n")]
    [TestCase("1n << 1000000000n")]
    [TestCase("eval('1')")]
    [TestCase("new Function('return 1')()")]
    [TestCase("(() => {}).constructor('return 1')()")]
    [TestCase("(async () => {}).constructor('return 1')()")]
    [TestCase("(function* () {}).constructor('return 1')()")]
    [TestCase("setTimeout(() => {}, 1)")]
    [TestCase("new WeakRef({})")]
    [TestCase("class A { toString() { return `${this}` } } `${new A}`")]
    public async Task WhatIsNotThereIsAnError(string body)
    {
        ScriptError error = await ScriptRun.FailAsync(body, Limits);
        Assert.That(error.Message, Is.Not.Empty);
    }

    [TestCase("new Proxy({}, { get(t, k, r) { return r[k] } }).x")]
    public async Task TheStackIsNotUsedUp(string body)
    {
        ScriptError error = await ScriptRun.FailAsync(body, Limits with { RecursionMax = 100_000 });
        Assert.That(error.Message, Does.Contain("stack"));
    }

    [Test]
    public async Task TheTimeInWhichItRunsIsBounded()
    {
        ScriptError error = await ScriptRun.FailAsync("while (true);", new ScriptLimits { StatementsMax = long.MaxValue, RunTimeMax = TimeSpan.FromMilliseconds(20) }, TimeProvider.System);
        Assert.That(error, Has.Property(nameof(ScriptError.Message)).EqualTo("ran for more than 20ms").And.Property(nameof(ScriptError.IsOverrun)).True);
    }

    [Test]
    public async Task AnErrorIsToldWithItsPlace()
    {
        var run = new ScriptRun("export function onRequest(request) {\n  const user = null;\n  return user.name;\n}");
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error!.Location, Does.StartWith("gateway.js:3:"));
        Assert.That(outcome.Error.Message, Does.StartWith("TypeError: "));
    }

    [Test]
    public async Task ARejectionIsToldWithItsPlace()
    {
        var run = new ScriptRun("export async function onRequest(request) {\n  await null;\n  throw new RangeError('too much');\n}");
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error!.Message, Is.EqualTo("RangeError: too much"));
        Assert.That(outcome.Error.Location, Does.StartWith("gateway.js:3:"));
    }

    [Test]
    public async Task AnOverrunIsToldWithItsPlace()
    {
        var run = new ScriptRun("function spin() {\n  for (;;) {\n    Math.abs(1);\n  }\n}\nexport function onRequest() { spin() }", Limits);
        ScriptOutcome outcome = await run.RequestAsync();
        Assert.That(outcome.Error!.Location, Does.StartWith("gateway.js:"));
        Assert.That(outcome.Error.Message, Is.EqualTo("more than 200000 statements"));
    }

    [Test]
    public async Task StatementsCountOverAllPiecesOfACall()
    {
        var run = new ScriptRun("export async function onRequest() { for (let i = 0; i < 1000; i++) { await fetch('cluster:auth/'); for (let j = 0; j < 1000; j++); } }", new ScriptLimits { StatementsMax = 5000, FetchesMax = 1000 });
        var answers = new Queue<TaskCompletionSource<Core.Policies.ClusterResponse>>();
        run.Exchange.Answer = (_, _) =>
        {
            var answer = new TaskCompletionSource<Core.Policies.ClusterResponse>();
            answers.Enqueue(answer);
            return new(answer.Task);
        };
        SynchronizationContext.SetSynchronizationContext(null); // as on a loop: who waits goes on inline
        ValueTask<ScriptOutcome> running = run.RequestAsync();
        int count = 0;
        while (answers.TryDequeue(out TaskCompletionSource<Core.Policies.ClusterResponse>? next))
        {
            count++;
            next.SetResult(FakeExchange.Response(200, ""));
        }
        Assert.That(running.IsCompleted, Is.True);
        Assert.That((await running).Error!.Message, Is.EqualTo("more than 5000 statements"));
        Assert.That(count, Is.LessThan(20));
    }

    [Test]
    public async Task ACallThatWaitsForNothingIsEnded() =>
        Assert.That((await ScriptRun.FailAsync("await new Promise(() => {})")).Message, Is.EqualTo("waits for a promise that nothing will keep"));
}
