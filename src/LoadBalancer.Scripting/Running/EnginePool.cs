using System.Collections.Concurrent;
using LoadBalancer.Scripting.Loading;

namespace LoadBalancer.Scripting.Running;

/// <summary>
/// The engines of one policy on one loop. Each call has one to itself until it has ended, so a call that waits for something keeps none of the others from running. Used by its
/// loop's thread alone; but engines are made elsewhere and handed over, since making one takes milliseconds.
/// </summary>
internal sealed class EnginePool
{
    private readonly ScriptHost _host;
    private readonly Action<Exception> _failed;
    private readonly Stack<ScriptEngine> _idle = new();
    private readonly ConcurrentQueue<ScriptEngine> _made = new();
    private readonly Queue<TaskCompletionSource<ScriptEngine?>> _waiting = new();
    private int _count; // engines there are or being made, of whichever program
    private int _isMaking;
    private ScriptProgram? _program; // the one that was asked for last
    private bool _isServing;

    internal EnginePool(ScriptHost host, Action<Exception> failed)
    {
        _host = host;
        _failed = failed;
        Release = Put;
    }

    internal ScriptHost Host => _host;

    /// <summary>Told by a call when its engine is free.</summary>
    internal Action<ScriptCall> Release { get; }

    /// <summary>Engines there are or being made.</summary>
    internal int Count => _count;

    /// <summary>Gives it an engine. Any thread.</summary>
    internal void Add(ScriptEngine engine)
    {
        Interlocked.Increment(ref _count);
        _made.Enqueue(engine);
    }

    /// <summary>An engine with that program, if one is to be had at once.</summary>
    // Hot path: per call. 0 allocations.
    internal ScriptEngine? TryTake(ScriptProgram program)
    {
        _program = program;
        if (_host.IsIsolated)
        {
            if (_count >= _host.Limits.EnginesMax) return null;
            var own = new ScriptEngine(program, _host);
            Interlocked.Increment(ref _count);
            return own;
        }
        ScriptEngine? engine = Find(program);
        if (engine is null && _count < _host.Limits.EnginesMax)
        {
            // Nothing was made ahead: the loop waits for this one.
            engine = new ScriptEngine(program, _host);
            Interlocked.Increment(ref _count);
        }
        if (_idle.Count == 0 && _made.IsEmpty && engine is not null) MakeAhead(program);
        return engine;
    }

    /// <summary>An engine when one is free; null where as many wait already as may.</summary>
    internal Task<ScriptEngine?> WaitAsync()
    {
        if (_waiting.Count >= _host.Limits.WaitingMax) return Task.FromResult<ScriptEngine?>(null);
        var wait = new TaskCompletionSource<ScriptEngine?>(); // goes on in the place where an engine is put back: on the loop
        _waiting.Enqueue(wait);
        return wait.Task;
    }

    private ScriptEngine? Find(ScriptProgram program)
    {
        while (_idle.TryPop(out ScriptEngine? engine) || _made.TryDequeue(out engine))
        {
            if (ReferenceEquals(engine.Program, program)) return engine;
            Interlocked.Decrement(ref _count); // of a program that was replaced
        }
        return null;
    }

    private void Put(ScriptCall call)
    {
        ScriptEngine engine = call.Engine;
        engine.Call = null;
        ScriptProgram program = _program ?? engine.Program;
        if (_host.IsIsolated || !call.IsEngineSound || !ReferenceEquals(engine.Program, program)) Interlocked.Decrement(ref _count);
        else _idle.Push(engine);
        if (_isServing) return; // whoever serves sees it: calls that do not wait must not go on within each other
        _isServing = true;
        try
        {
            while (_waiting.Count > 0 && TryTake(program) is { } next) _waiting.Dequeue().SetResult(next);
        }
        catch (ScriptLoadException e)
        {
            _failed(e); // a module that cannot be set up a second time: who waits gets the next engine that is put back
        }
        finally
        {
            _isServing = false;
        }
    }

    private void MakeAhead(ScriptProgram program)
    {
        if (_count >= _host.Limits.EnginesMax || Interlocked.Exchange(ref _isMaking, 1) == 1) return;
        _ = Task.Run(() =>
        {
            try
            {
                Add(new ScriptEngine(program, _host));
            }
            catch (Exception e)
            {
                _failed(e);
            }
            finally
            {
                Volatile.Write(ref _isMaking, 0);
            }
        });
    }
}
