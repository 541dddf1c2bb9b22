using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Loading;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Running;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Scripting;

/// <summary>Has a script look at requests and answers. Only hooks that it exports are called, and only what it asks for is read.</summary>
internal sealed class ScriptPolicy : IRequestPolicy, IResponsePolicy, IDisposable
{
    private const int ErrorLinesPerSecond = 10;

    private readonly string _name;
    private readonly ScriptErrorAction _onError;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ScriptMetrics _metrics;
    private readonly LineRate _errorLines;
    private readonly EnginePool[] _pools;
    private readonly ScriptSource _source;

    /// <exception cref="ScriptLoadException">The script cannot be used.</exception>
    internal ScriptPolicy(ScriptConfig config, string name, TimeProvider time, ILogger logger, int loopCount)
    {
        _name = name;
        _onError = config.OnError;
        _logger = logger;
        _time = time;
        _metrics = new ScriptMetrics(name);
        _errorLines = new LineRate(ErrorLinesPerSecond, time);
        ScriptHost host = config.CreateHost(name, time, logger);
        _pools = new EnginePool[loopCount];
        for (int i = 0; i < loopCount; i++) _pools[i] = new EnginePool(host, e => Tell("load", new ScriptError(e.Message, "", false)));
        _source = new ScriptSource(host, config.File, Prime, _metrics, logger);
    }

    internal ScriptSource Source => _source;

    // One each, so that no loop has to make its first.
    private void Prime(ScriptEngine first)
    {
        if (first.Host.IsIsolated) return;
        for (int i = 0; i < _pools.Length; i++) _pools[i].Add(i == 0 ? first : new ScriptEngine(first.Program, first.Host));
    }

    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        LoadedScript script = _source.Current;
        if (!script.HasRequestHook) return default;
        EnginePool pool = _pools[context.LoopIndex];
        if (pool.TryTake(script.Program) is not { } engine) return WaitAsync(pool, context);
        return CallAsync(pool, engine, context);
    }

    public ValueTask OnResponseAsync(ResponseContext context)
    {
        LoadedScript script = _source.Current;
        if (!script.HasResponseHook) return default;
        EnginePool pool = _pools[context.Request.LoopIndex];
        if (pool.TryTake(script.Program) is not { } engine) return WaitAsync(pool, context);
        return CallAsync(pool, engine, context);
    }

    private async ValueTask<PolicyAnswer?> WaitAsync(EnginePool pool, RequestContext context)
    {
        if (await pool.WaitAsync().ConfigureAwait(false) is { } engine) return engine.OnRequest is null ? Unused(pool, engine, context) : await CallAsync(pool, engine, context).ConfigureAwait(false);
        _metrics.OnCall(ScriptProgram.RequestHook, "busy", TimeSpan.Zero);
        return PolicyAnswer.Refuse(503, EndReason.PolicyUnavailable, $"{_name}: too many calls wait for an engine");
    }

    private async ValueTask WaitAsync(EnginePool pool, ResponseContext context)
    {
        if (await pool.WaitAsync().ConfigureAwait(false) is not { } engine)
        {
            _metrics.OnCall(ScriptProgram.ResponseHook, "busy", TimeSpan.Zero);
            var error = new ScriptError("too many calls wait for an engine", "", false);
            Tell(ScriptProgram.ResponseHook, error);
            throw new PolicyFailedException(Line(error));
        }
        if (engine.OnResponse is null) Unused(pool, engine, context.Request);
        else await CallAsync(pool, engine, context).ConfigureAwait(false);
    }

    // The script was replaced meanwhile, by one without the hook.
    private static PolicyAnswer? Unused(EnginePool pool, ScriptEngine engine, RequestContext context)
    {
        new ScriptCall(engine, new ProxyExchange(context, null), isResponse: false) { Released = pool.Release }.Close();
        return null;
    }

    private ValueTask<PolicyAnswer?> CallAsync(EnginePool pool, ScriptEngine engine, RequestContext context)
    {
        var call = new ScriptCall(engine, new ProxyExchange(context, null), isResponse: false) { Released = pool.Release };
        var request = new RequestObject(call);
        call.Context = new ContextObject(call, request);
        ValueTask<ScriptOutcome> running = call.Run(engine.OnRequest!, request, call.Context);
        return running.IsCompletedSuccessfully ? new(End(call, running.Result)) : EndAsync(call, running);
    }

    private async ValueTask<PolicyAnswer?> EndAsync(ScriptCall call, ValueTask<ScriptOutcome> running) => End(call, await running.ConfigureAwait(false));

    private PolicyAnswer? End(ScriptCall call, ScriptOutcome outcome)
    {
        try
        {
            if (call.HasLostBody) return null; // the request is refused already
            ScriptError? error = outcome.Error;
            if (error is null && outcome.Value is ResponseObject response)
            {
                Count(call, "answered");
                return new PolicyAnswer(response.Status, EndReason.Responded) { Fields = response.Fields, Body = response.Body };
            }
            if (error is null && outcome.Value is { } value and not RequestObject && !IsNothing(value))
                error = new ScriptError($"{ScriptProgram.RequestHook} has returned {Described(value)}; expected nothing, the request or a Response", "", false);
            if (error is null)
            {
                Count(call, "ok");
                return null;
            }
            Fail(call, error);
            return _onError == ScriptErrorAction.Continue ? null : PolicyAnswer.Refuse(500, EndReason.PolicyFailed, Line(error));
        }
        finally
        {
            call.Close();
        }
    }

    private ValueTask CallAsync(EnginePool pool, ScriptEngine engine, ResponseContext context)
    {
        var exchange = new ProxyExchange(context.Request, context);
        var call = new ScriptCall(engine, exchange, isResponse: true) { Released = pool.Release };
        ValueTask<ScriptOutcome> running = call.Run(engine.OnResponse!, new AnswerObject(call), new ContextObject(call, null));
        if (!running.IsCompletedSuccessfully) return EndAsync(call, running, context);
        End(call, running.Result, context);
        return default;
    }

    private async ValueTask EndAsync(ScriptCall call, ValueTask<ScriptOutcome> running, ResponseContext context) => End(call, await running.ConfigureAwait(false), context);

    private void End(ScriptCall call, ScriptOutcome outcome, ResponseContext context)
    {
        try
        {
            if (call.HasLostBody) return; // the request has failed already
            ScriptError? error = outcome.Error;
            if (error is null && outcome.Value is ResponseObject response)
            {
                error = TryReplace(context, response);
                if (error is null) Count(call, "answered");
            }
            else if (error is null && outcome.Value is { } value and not AnswerObject && !IsNothing(value))
                error = new ScriptError($"{ScriptProgram.ResponseHook} has returned {Described(value)}; expected nothing, the response or a Response", "", false);
            else if (error is null) Count(call, "ok");
            if (error is null) return;
            Fail(call, error);
            if (_onError == ScriptErrorAction.Refuse) throw new PolicyFailedException(Line(error));
        }
        finally
        {
            call.Close();
        }
    }

    private static ScriptError? TryReplace(ResponseContext context, ResponseObject response)
    {
        try
        {
            context.Status = response.Status;
            context.Fields.Clear();
            for (int i = 0; i < response.Fields.Count; i++) context.Fields.Append(response.Fields.NameAt(i), response.Fields.ValueAt(i));
            context.SetBody(response.Body);
            return null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return new ScriptError(ScriptObject.Message(e), "", false);
        }
    }

    private static bool IsNothing(Jint.Native.JsValue value) => value.Type is Jint.Runtime.Types.Undefined or Jint.Runtime.Types.Null;

    private static string Described(Jint.Native.JsValue value) => value.Type == Jint.Runtime.Types.Object ? "an object" : $"a {value.Type.ToString().ToLowerInvariant()}";

    private void Count(ScriptCall call, string outcome) =>
        _metrics.OnCall(HookOf(call), outcome, TimeSpan.FromSeconds((double)call.Engine.Budget.TicksUsed / _time.TimestampFrequency));

    private static string HookOf(ScriptCall call) => call.IsResponse ? ScriptProgram.ResponseHook : ScriptProgram.RequestHook;

    private void Fail(ScriptCall call, ScriptError error)
    {
        Count(call, error.IsOverrun ? "overrun" : "error");
        Tell(HookOf(call), error);
    }

    private void Tell(string hook, ScriptError error)
    {
        if (!_errorLines.TryTake(out long leftOut)) return;
        if (leftOut > 0) ScriptLog.LinesLeftOut(_logger, _name, leftOut);
        ScriptLog.Failed(_logger, _name, hook, error.Location.Length > 0 ? error.Location : "an unknown place", error.Message);
    }

    private string Line(ScriptError error) => error.Location.Length > 0 ? $"{_name}: {error.Location}: {error.Message}" : $"{_name}: {error.Message}";

    /// <summary>Ends the watching of the files.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _metrics.Dispose();
    }
}
