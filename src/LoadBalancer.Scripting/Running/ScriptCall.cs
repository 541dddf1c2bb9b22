using System.Threading.Tasks.Sources;
using Jint;
using Jint.Native;
using Jint.Native.Promise;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Scripting.Objects;

namespace LoadBalancer.Scripting.Running;

/// <summary>What has come of a call: what the hook has returned, or how it has failed.</summary>
internal readonly record struct ScriptOutcome(JsValue? Value, ScriptError? Error);

/// <summary>
/// One call of one hook: runs it, and goes on with it whenever something has come that it waits for. Has an engine to itself until it has ended and nothing it has begun
/// is under way. The loop's thread only.
/// </summary>
internal sealed class ScriptCall : IValueTaskSource<ScriptOutcome>
{
    private readonly long _start;
    private LoopCompletion<ScriptOutcome> _completion;
    private int _pending; // waits of the script's, for answers and bodies
    private int _pendingBodies; // those of them that the exchange must not be left before
    private bool _isAwaited, _isSettled, _isEnded;
    private JsValue? _value, _rejection;
    private ScriptError? _error;
    private int _fetches;

    internal ScriptCall(ScriptEngine engine, IScriptExchange exchange, bool isResponse)
    {
        Engine = engine;
        Exchange = exchange;
        IsResponse = isResponse;
        _start = engine.Time.GetTimestamp();
        engine.Call = this;
        engine.Budget.Begin(engine.Limits);
    }

    internal ScriptEngine Engine { get; }

    /// <summary>Null once the call has ended: what the script has kept of it is dead.</summary>
    internal IScriptExchange? Exchange { get; private set; }

    /// <summary>Whether it is onResponse that is called.</summary>
    internal bool IsResponse { get; }

    /// <summary>The hook's second argument; null before onRequest is called, and for onResponse.</summary>
    internal ContextObject? Context { get; set; }

    /// <summary>Told when the call has ended and nothing is under way any more: the engine is free.</summary>
    internal Action<ScriptCall>? Released { get; set; }

    /// <summary>Whether the engine is as it was: not where the call was cut off in the middle.</summary>
    internal bool IsEngineSound { get; private set; } = true;

    /// <summary>Whether content that the script asked for could not be had: the exchange has failed by itself, whatever the script makes of it.</summary>
    internal bool HasLostBody { get; set; }

    internal TimeSpan TimeLeft => Engine.Limits.Deadline - Engine.Time.GetElapsedTime(_start);

    internal bool TryCountFetch() => ++_fetches <= Engine.Limits.FetchesMax;

    /// <summary>Runs the hook. Called once; the result is awaited once, and goes on on the loop.</summary>
    internal ValueTask<ScriptOutcome> Run(JsValue hook, params JsValue[] arguments)
    {
        string? trace = null;
        Engine.Budget.Enter();
        try
        {
            JsValue value = Engine.Js.Call(hook, JsValue.Undefined, arguments);
            if (value.IsPromise()) Engine.Observe(value, this);
            else Settle(value);
            Drain();
        }
        catch (Exception e) when (Note(out trace))
        {
            Fail(e, trace);
        }
        finally
        {
            Engine.Budget.Leave();
        }
        if (TryEnd(out ScriptOutcome outcome)) return new ValueTask<ScriptOutcome>(outcome);
        _isAwaited = true;
        return new ValueTask<ScriptOutcome>(this, _completion.Start());
    }

    /// <summary>The promise that the hook has returned is kept, or what it has returned is no promise.</summary>
    internal void Settle(JsValue value) => (_isSettled, _value) = (true, value);

    /// <summary>The promise that the hook has returned is broken.</summary>
    internal void Reject(JsValue reason) => (_isSettled, _rejection) = (true, reason);

    /// <summary>A promise for what a task brings; the script goes on when it has come.</summary>
    /// <param name="task">What is waited for. Ends on the loop's thread.</param>
    /// <param name="isBody">Whether it is content of the exchange: the call does not end before it has come.</param>
    /// <param name="convert">Makes a value of it; an error that it throws breaks the promise.</param>
    internal JsValue Promise<T>(ValueTask<T> task, bool isBody, Func<ScriptEngine, T, JsValue> convert)
    {
        // At once, and never by GoOnAsync: that would run within the piece that runs now.
        if (task.IsCompleted) return Engine.Promised(static (engine, ended) => ended.convert(engine, Ended(engine, ended.task)), (task, convert));
        ManualPromise promise = Engine.Js.Advanced.RegisterPromise();
        _pending++;
        if (isBody) _pendingBodies++;
        _ = GoOnAsync(task, isBody, promise, convert);
        return promise.Promise;
    }

    private static T Ended<T>(ScriptEngine engine, ValueTask<T> task)
    {
        try
        {
            return task.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            throw engine.Failure(e.Message);
        }
    }

    private async Task GoOnAsync<T>(ValueTask<T> task, bool isBody, ManualPromise promise, Func<ScriptEngine, T, JsValue> convert)
    {
        T? result = default;
        Exception? failure = null;
        try
        {
            result = await task.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e; // the script's to handle
        }
        _pending--;
        if (isBody) _pendingBodies--;
        if (Exchange is null)
        {
            if (_pending == 0) Released?.Invoke(this);
            return;
        }
        if (!_isSettled) GoOn(promise, convert, result, failure);
        if (_isAwaited && TryEnd(out ScriptOutcome outcome)) _completion.SetResult(outcome);
    }

    private void GoOn<T>(ManualPromise promise, Func<ScriptEngine, T, JsValue> convert, T? result, Exception? failure)
    {
        string? trace = null;
        Engine.Budget.Enter();
        try
        {
            if (TimeLeft <= TimeSpan.Zero) throw new ScriptOverrunException($"took longer than {DurationText.Format(Engine.Limits.Deadline)}");
            if (failure is not null) promise.Reject(Engine.Error(failure.Message));
            else if (Engine.TryConvert(convert, result!, out JsValue value)) promise.Resolve(value);
            else promise.Reject(value);
            Drain();
        }
        catch (Exception e) when (Note(out trace))
        {
            Fail(e, trace);
        }
        finally
        {
            Engine.Budget.Leave();
        }
    }

    // Runs what promises have queued.
    private void Drain()
    {
        Engine.Js.Advanced.ProcessTasks();
        if (_rejection is not null) _error = ScriptError.Of(_rejection);
        else if (_isSettled) Context?.KeepState();
        else if (_pending == 0) (_isSettled, _error) = (true, new ScriptError("waits for a promise that nothing will keep", "", false));
    }

    // As a filter: the interpreter's stack still stands.
    private bool Note(out string? trace)
    {
        trace = Engine.Js.Advanced.StackTrace;
        return true;
    }

    private void Fail(Exception exception, string? trace)
    {
        (_isSettled, _error) = (true, ScriptError.Of(exception, trace));
        IsEngineSound = exception is Jint.Runtime.JavaScriptException && TryRunRest();
    }

    // What promises have queued before the error is this call's to run, within its budget: left over, the next call would.
    private bool TryRunRest()
    {
        try
        {
            Engine.Js.Advanced.ProcessTasks();
            return true;
        }
        catch (Exception)
        {
            return false; // the call has failed already, and for another reason
        }
    }

    private bool TryEnd(out ScriptOutcome outcome)
    {
        outcome = new ScriptOutcome(_value, _error);
        if (!_isSettled || _pendingBodies > 0 || _isEnded) return false;
        return _isEnded = true;
    }

    /// <summary>The outcome is dealt with. What the script has begun and not waited for may still be under way.</summary>
    internal void Close()
    {
        Exchange = null;
        if (_pending == 0) Released?.Invoke(this);
    }

    ScriptOutcome IValueTaskSource<ScriptOutcome>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ScriptOutcome>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<ScriptOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _completion.OnCompleted(continuation, state, token);
}
