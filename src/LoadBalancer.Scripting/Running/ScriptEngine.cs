using Jint;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Interop;
using LoadBalancer.Scripting.Loading;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Realms;

namespace LoadBalancer.Scripting.Running;

/// <summary>
/// One interpreter with the policy's modules. Made on any thread, then of one loop's; one call at a time. What the modules have set up is frozen, as are all built-ins, so that
/// no call leaves anything to the next but what module variables and closures keep.
/// </summary>
internal sealed class ScriptEngine
{
    private readonly JsValue _promise, _resolve, _reject, _then, _arrayValues;

    /// <exception cref="ScriptLoadException">The modules cannot be run, or export no hook.</exception>
    internal ScriptEngine(ScriptProgram program, ScriptHost host)
    {
        Program = program;
        Host = host;
        Budget = new ScriptBudget(host.Time);
        Js = new Engine(Options(program, host));
        Realm = new RealmObjects(this);
        _promise = Js.Global.Get("Promise");
        _resolve = _promise.Get("resolve");
        _reject = _promise.Get("reject");
        _then = _promise.Get("prototype").Get("then");
        _arrayValues = Js.Global.Get("Array").Get("prototype").Get("values");
        RealmSetup.Install(this);
        if (!host.IsIsolated) RealmFreeze.Freeze(this);
        ObjectInstance exports = Import(program);
        OnRequest = Hook(exports, ScriptProgram.RequestHook);
        OnResponse = Hook(exports, ScriptProgram.ResponseHook);
        if (OnRequest is null && OnResponse is null) throw new ScriptLoadException($"{program.EntryName} exports neither onRequest nor onResponse");
    }

    internal ScriptProgram Program { get; }

    internal ScriptHost Host { get; }

    internal ScriptLimits Limits => Host.Limits;

    internal TimeProvider Time => Host.Time;

    internal Engine Js { get; }

    internal ScriptBudget Budget { get; }

    internal RealmObjects Realm { get; }

    /// <summary>The call that has the engine; null while the modules are loaded.</summary>
    internal ScriptCall? Call { get; set; }

    internal JsValue? OnRequest { get; }

    internal JsValue? OnResponse { get; }

    /// <summary>A kept promise.</summary>
    internal JsValue Resolved(JsValue value) => _resolve.Call(_promise, [value]);

    /// <summary>A promise for what is there already.</summary>
    internal JsValue Promised<T>(Func<ScriptEngine, T, JsValue> convert, T result) =>
        TryConvert(convert, result, out JsValue value) ? Resolved(value) : _reject.Call(_promise, [value]);

    /// <summary>False where the conversion throws an error of the language, which <paramref name="value"/> then is.</summary>
    internal bool TryConvert<T>(Func<ScriptEngine, T, JsValue> convert, T result, out JsValue value)
    {
        try
        {
            value = convert(this, result);
            return true;
        }
        catch (JavaScriptException e)
        {
            value = e.Error;
            return false;
        }
    }

    /// <summary>Tells the call of what becomes of a promise.</summary>
    internal void Observe(JsValue promise, ScriptCall call)
    {
        // Of this call alone: another one may keep a promise that it was left.
        var kept = new ClrFunction(Js, "", (_, arguments) => Tell(call.Settle, arguments));
        var broken = new ClrFunction(Js, "", (_, arguments) => Tell(call.Reject, arguments));
        _then.Call(promise, [kept, broken]);
    }

    /// <summary>An iterator over values.</summary>
    internal JsValue Iterator(JsValue[] values) => _arrayValues.Call(new JsArray(Js, values), []);

    internal static JsValue Invoke(JsValue function, JsValue self, JsValue[] arguments) => function.Call(self, arguments);

    /// <summary>A TypeError, as a value.</summary>
    internal JsValue Error(string message) => Js.Intrinsics.TypeError.Construct(message);

    /// <summary>A TypeError, to be thrown.</summary>
    internal JavaScriptException Failure(string message) => new(Js.Intrinsics.TypeError, message);

    private static JsValue Tell(Action<JsValue> tell, JsValue[] arguments)
    {
        tell(arguments.Length > 0 ? arguments[0] : JsValue.Undefined);
        return JsValue.Undefined;
    }

    private static JsValue? Hook(ObjectInstance exports, string name)
    {
        JsValue hook = exports.Get(name);
        if (hook.IsUndefined()) return null;
        return hook.IsCallable() ? hook : throw new ScriptLoadException($"{name} is exported, and is no function");
    }

    private ObjectInstance Import(ScriptProgram program)
    {
        string? trace = null;
        Budget.Begin(ScriptLimits.OfLoading);
        Budget.Enter();
        try
        {
            return Js.Modules.Import(program.EntrySpecifier);
        }
        catch (Exception e) when ((trace = Js.Advanced.StackTrace) is not null)
        {
            ScriptError error = ScriptError.Of(e is PromiseRejectedException { InnerException: { } inner } ? inner : e, trace);
            throw new ScriptLoadException(error.Location.Length > 0 ? $"{error.Location}: {error.Message}" : error.Message, e);
        }
        finally
        {
            Budget.Leave();
        }
    }

    private Options Options(ScriptProgram program, ScriptHost host)
    {
        var options = new Options { Strict = true, TimeSystem = new ScriptClock(host.Time), TimeZone = TimeZoneInfo.Utc };
        options.Host.StringCompilationAllowed = false;
        options.Modules.ModuleLoader = new ProgramLoader(program);
        options.Constraints.MaxRecursionDepth = host.Limits.RecursionMax;
        options.Constraints.StackOverflowGuard = true;
        options.Constraints.RegexTimeout = host.Limits.RunTimeMax;
        options.Constraints.PromiseTimeout = TimeSpan.FromSeconds(1); // never waited for: modules have no top-level await
        options.Constraints.MaxArraySize = (uint)Math.Min(host.Limits.AllocatedBytesMax / 8, int.MaxValue); // a reference each
        options.Json.MaxParseDepth = 64;
        options.Constraint(Budget);
        return options;
    }
}
