using System.Text;
using LoadBalancer.Scripting.Loading;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.State;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Scripting.Tests;

/// <summary>An engine with a script, and calls of it.</summary>
internal sealed class ScriptRun
{
    internal ScriptRun(string source, ScriptLimits? limits = null, bool isIsolated = false, TimeProvider? time = null, ILogger? logger = null, Dictionary<string, string>? files = null, KeyValueStore? store = null)
    {
        time ??= new FakeTimeProvider(DateTimeOffset.Parse("2026-01-02T03:04:05Z", null));
        Host = new ScriptHost
        {
            Name = "mine",
            Limits = limits ?? new ScriptLimits(),
            Time = time,
            Store = store ?? new KeyValueStore(1024, 1 << 20, time),
            Console = new ScriptConsole("mine", logger ?? NullLogger.Instance, time),
            Env = new Dictionary<string, string> { ["region"] = "eu" },
            Clusters = new HashSet<string> { "auth" },
            IsIsolated = isIsolated,
        };
        var all = new Dictionary<string, byte[]> { ["gateway.js"] = Encoding.UTF8.GetBytes(source) };
        foreach ((string name, string text) in files ?? []) all[name] = Encoding.UTF8.GetBytes(text);
        Program = ScriptProgram.Parse("gateway.js", all, TimeSpan.FromMilliseconds(100), isSealed: !isIsolated);
        Engine = new ScriptEngine(Program, Host);
    }

    internal ScriptHost Host { get; }

    internal ScriptProgram Program { get; }

    internal ScriptEngine Engine { get; }

    internal FakeExchange Exchange { get; set; } = new();

    internal ScriptCall? Last { get; private set; }

    /// <summary>Calls onRequest.</summary>
    internal ValueTask<ScriptOutcome> RequestAsync()
    {
        Last = new ScriptCall(Engine, Exchange, isResponse: false);
        var request = new RequestObject(Last);
        Last.Context = new ContextObject(Last, request);
        return Last.Run(Engine.OnRequest!, request, Last.Context);
    }

    internal ValueTask<ScriptOutcome> ResponseAsync()
    {
        Last = new ScriptCall(Engine, Exchange, isResponse: true);
        return Last.Run(Engine.OnResponse!, new AnswerObject(Last), new ContextObject(Last, null));
    }

    /// <summary>What onRequest answers; it must do so.</summary>
    internal async Task<ResponseObject> AnswerAsync()
    {
        ScriptOutcome outcome = await RequestAsync();
        Last!.Close();
        Assert.That(outcome.Error, Is.Null);
        return (ResponseObject)outcome.Value!;
    }

    /// <summary>The value of an expression, as JSON.</summary>
    internal static async Task<string> EvaluateAsync(string expression, FakeExchange? exchange = null)
    {
        var run = new ScriptRun($$"""export async function onRequest(request, context) { return new Response(JSON.stringify({{expression}})) }""");
        if (exchange is not null) run.Exchange = exchange;
        return Encoding.UTF8.GetString((await run.AnswerAsync()).Body.Span);
    }

    /// <summary>How a call of that body fails.</summary>
    internal static async Task<ScriptError> FailAsync(string body, ScriptLimits? limits = null, TimeProvider? time = null)
    {
        var run = new ScriptRun($$"""export async function onRequest(request, context) { {{body}} }""", limits, time: time);
        ScriptOutcome outcome = await run.RequestAsync();
        run.Last!.Close();
        Assert.That(outcome.Error, Is.Not.Null);
        return outcome.Error!;
    }
}
