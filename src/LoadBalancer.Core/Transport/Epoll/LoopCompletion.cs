using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The one pending operation of a reader or writer: its continuation, run inline on the loop. Lighter than
/// <see cref="ManualResetValueTaskSourceCore{TResult}"/> because only one thread ever touches it: no interlocked step, no context capture.
/// </summary>
internal struct LoopCompletion<TResult>
{
    private Action<object?>? _continuation;
    private object? _state;
    private TResult _result;
    private short _version;
    private bool _completed;

    internal short Version => _version;

    /// <summary>Begins a new operation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal short Start()
    {
        _completed = false;
        _continuation = null;
        return ++_version;
    }

    /// <summary>Ends the operation; the awaiting code runs inside this call.</summary>
    internal void SetResult(in TResult result)
    {
        _result = result;
        _completed = true;
        Action<object?>? continuation = _continuation;
        if (continuation is null) return;
        object? state = _state;
        _continuation = null;
        _state = null;
        continuation(state);
    }

    internal readonly ValueTaskSourceStatus GetStatus(short token)
    {
        if (token != _version) ThrowMisuse();
        return _completed ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    internal TResult GetResult(short token)
    {
        if (token != _version || !_completed) ThrowMisuse();
        TResult result = _result;
        _result = default!;
        return result;
    }

    internal void OnCompleted(Action<object?> continuation, object? state, short token)
    {
        if (token != _version) ThrowMisuse();
        if (_completed)
        {
            continuation(state);
            return;
        }
        _continuation = continuation;
        _state = state;
    }

    private static void ThrowMisuse() => throw new InvalidOperationException("a ValueTask of a connection was awaited twice, or too late");
}
