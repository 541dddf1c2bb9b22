using System.Text;
using LoadBalancer.Core.Files;
using LoadBalancer.Scripting.Loading;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.State;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Scripting.Tests;

/// <summary>Files, what they import, and what becomes of them when they change.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(60_000)]
public sealed class LoadingTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory().FullName;
    private readonly string _folder;

    public LoadingTests() => _folder = Directory.CreateDirectory(Path.Combine(_root, "scripts")).FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private string Problem()
    {
        bool isRead = ScriptProgram.TryReadFiles(new ScriptFolder(Path.Combine(_folder, "gateway.js")), out SortedDictionary<string, byte[]> files, out string error);
        if (!isRead) return error;
        try
        {
            _ = ScriptProgram.Parse("gateway.js", files, TimeSpan.FromSeconds(1), isSealed: true);
            return "";
        }
        catch (ScriptLoadException e)
        {
            return e.Message;
        }
    }

    [TestCase("../outside.js", "gateway.js: cannot import \"../outside.js\": it is outside the script's folder")]
    [TestCase("./lib/../../outside.js", "it is outside the script's folder")]
    [TestCase("/etc/passwd", "expected a path that begins with \"./\" or \"../\"")]
    [TestCase("fs", "expected a path that begins with")]
    [TestCase("file:///etc/passwd", "expected a path that begins with")]
    [TestCase("lb:seal", "expected a path that begins with")]
    [TestCase("./missing.js", "gateway.js imports missing.js, which does not exist")]
    [TestCase("./link.js", "gateway.js imports link.js, which is a link that leads out of the script's folder")]
    [TestCase("./out/outside.js", "which is a link that leads out of the script's folder")]
    public void ImportsStayInTheFolder(string specifier, string expected)
    {
        File.WriteAllText(Path.Combine(_root, "outside.js"), "export const a = 1");
        File.CreateSymbolicLink(Path.Combine(_folder, "link.js"), "../outside.js");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "out"), "..");
        Write("gateway.js", $"import {{ a }} from '{specifier}'; export function onRequest() {{}}");
        Assert.That(Problem(), Does.EndWith(expected).Or.Contain(expected));
    }

    [Test]
    public async Task ModulesOfTheFolderAreImported()
    {
        // As Kubernetes mounts them: links within the folder.
        Write("..data/rules.js", "import { prefix } from './lib/common.js'; export const rule = x => prefix + x");
        File.CreateSymbolicLink(Path.Combine(_folder, "rules.js"), "..data/rules.js");
        Write("lib/common.js", "import * as gateway from '../gateway.js'; export const prefix = 'p:'");
        string entry = Write("gateway.js", "import { rule } from './rules.js'; export function onRequest() { return new Response(rule('x')) }");
        Assert.That(ScriptProgram.TryReadFiles(new ScriptFolder(entry), out SortedDictionary<string, byte[]> files, out string error), Is.True, error);
        Assert.That(files.Keys, Is.EqualTo(new[] { "gateway.js", "lib/common.js", "rules.js" }));
        var run = new ScriptRun(Encoding.UTF8.GetString(files["gateway.js"]), files: files.Where(file => file.Key != "gateway.js").ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Value)));
        Assert.That(Encoding.UTF8.GetString((await run.AnswerAsync()).Body.Span), Is.EqualTo("p:x"));
    }

    [TestCase("export function onRequest( {", "cannot be used: gateway.js: ")]
    [TestCase("await 1; export function onRequest() {}", "gateway.js:1:1: await at the top level")]
    [TestCase("export async function onRequest() { await import('./a.js') }", "gateway.js:1:43: import() is not there")]
    [TestCase("import a from './a.json' with { type: 'json' }", "gateway.js:1:1: an import with attributes")]
    public void WhatCannotBeRunIsToldOf(string source, string expected)
    {
        Write("a.json", "{}");
        Write("gateway.js", source);
        Assert.That(Problem(), Does.StartWith(expected));
    }

    [TestCase("throw new Error('not yet'); export function onRequest() {}", "gateway.js:1:7: Error: not yet")]
    [TestCase("while (true); export function onRequest() {}", "more than 10000000 statements")]
    [TestCase("export const onRequest = 1", "onRequest is exported, and is no function")]
    [TestCase("export function onrequest() {}", "gateway.js exports neither onRequest nor onResponse")]
    [TestCase("fetch('cluster:auth/').then(); export function onRequest() {}", "")]
    [TestCase("import { nope } from './gateway.js'; export function onRequest() {}", "nope")]
    public void WhatFailsWhenItIsLoadedIsToldOf(string source, string expected)
    {
        if (expected.Length == 0) Assert.That(() => new ScriptRun(source), Throws.Nothing);
        else Assert.That(() => new ScriptRun(source), Throws.TypeOf<ScriptLoadException>().With.Message.Contains(expected));
    }

    [Test]
    public void FilesAreBounded()
    {
        Write("gateway.js", string.Concat(Enumerable.Range(0, 70).Select(i => $"import './m{i}.js';\n")) + "export function onRequest() {}");
        for (int i = 0; i < 70; i++) Write($"m{i}.js", "");
        Assert.That(Problem(), Is.EqualTo("imports more than 64 files"));
        Write("gateway.js", "//" + new string('x', 300_000));
        Assert.That(Problem(), Is.EqualTo("is larger than 262144 bytes"));
    }

    [Test]
    public void WhatChangesIsReplacedTogetherAndABrokenEditKeepsTheLastGoodOne()
    {
        var time = new FakeTimeProvider();
        var host = new ScriptHost { Name = "mine", Limits = new ScriptLimits(), Time = time, Store = new KeyValueStore(16, 1 << 16, time), Console = new ScriptConsole("mine", NullLogger.Instance, time) };
        string entry = Write("gateway.js", "import { n } from './n.js'; export function onRequest() { return new Response(String(n)) }");
        Write("n.js", "export const n = 1");
        using var metrics = new ScriptMetrics("mine");
        var made = new List<ScriptEngine>();
        using var source = new ScriptSource(host, entry, made.Add, metrics, NullLogger.Instance);
        LoadedScript first = source.Current;
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.None));

        Write("n.js", "export const n = ;");
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.Unsettled));
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.Refused));
        Assert.That(source.Current, Is.SameAs(first));

        Write("n.js", "export const n = 1");
        Assert.That(source.Look(settles: false), Is.EqualTo(SourceChange.Restored));
        Write("n.js", "export const n = 2");
        Write("gateway.js", "import { n } from './n.js'; export function onResponse() { }");
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.Unsettled));
        Assert.That(source.Look(settles: true), Is.EqualTo(SourceChange.Replaced));
        Assert.That((source.Current.HasRequestHook, source.Current.HasResponseHook, made.Count), Is.EqualTo((false, true, 2)));
    }

    [Test]
    public async Task EnginesOfAnOldProgramAreNotUsedAgain()
    {
        var run = new ScriptRun("export function onRequest() {}");
        var pool = new EnginePool(run.Host, e => throw e);
        pool.Add(run.Engine);
        ScriptProgram next = ScriptProgram.Parse("gateway.js", new Dictionary<string, byte[]> { ["gateway.js"] = "export function onRequest() {}"u8.ToArray() }, TimeSpan.FromSeconds(1), isSealed: true);
        pool.Add(new ScriptEngine(next, run.Host));
        ScriptEngine engine = pool.TryTake(next)!;
        Assert.That(engine.Program, Is.SameAs(next));
        var call = new ScriptCall(engine, new FakeExchange(), isResponse: false) { Released = pool.Release };
        await call.Run(engine.OnRequest!);
        call.Close();
    }

    [Test]
    public async Task WhatReturnsFromBeforeAnEditDisplacesNothing()
    {
        var run = new ScriptRun("export function onRequest() {}", new ScriptLimits { EnginesMax = 2 });
        var pool = new EnginePool(run.Host, e => throw e);
        pool.Add(run.Engine);
        ScriptEngine old = pool.TryTake(run.Program)!;
        var call = new ScriptCall(old, new FakeExchange(), isResponse: false) { Released = pool.Release };
        ScriptProgram next = ScriptProgram.Parse("gateway.js", new Dictionary<string, byte[]> { ["gateway.js"] = "export function onRequest() {}"u8.ToArray() }, TimeSpan.FromSeconds(1), isSealed: true);
        var engine = new ScriptEngine(next, run.Host);
        pool.Add(engine);
        Assert.That(pool.TryTake(next), Is.SameAs(engine));
        Task<ScriptEngine?> waiting = pool.WaitAsync();
        await call.Run(old.OnRequest!);
        call.Close();
        Assert.That((await waiting)!.Program, Is.SameAs(next));
    }

    [Test]
    public async Task BeyondTheEnginesCallsWaitInTheirOrderAndBeyondThoseTheyAreTurnedAway()
    {
        var run = new ScriptRun("export function onRequest() {}", new ScriptLimits { EnginesMax = 1, WaitingMax = 2 });
        var pool = new EnginePool(run.Host, e => throw e);
        pool.Add(run.Engine);
        ScriptEngine engine = pool.TryTake(run.Program)!;
        Assert.That(pool.TryTake(run.Program), Is.Null);
        Task<ScriptEngine?> first = pool.WaitAsync(), second = pool.WaitAsync(), third = pool.WaitAsync();
        Assert.That(await third, Is.Null);
        var call = new ScriptCall(engine, new FakeExchange(), isResponse: false) { Released = pool.Release };
        await call.Run(engine.OnRequest!);
        call.Close();
        Assert.That((first.IsCompleted, second.IsCompleted), Is.EqualTo((true, false)));
        Assert.That(await first, Is.SameAs(engine));
    }
}
