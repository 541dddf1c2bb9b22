using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

#pragma warning disable CA1822 // the compiler calls these members on an instance

namespace LoadBalancer.Core.Transport;

/// <summary>
/// Builds async methods that run on one loop's thread from start to end: what a method keeps while it waits comes from a pool of that thread
/// and goes back when its result is taken, so a wait allocates nothing however many requests wait at once (the pools of
/// <see cref="PoolingAsyncValueTaskMethodBuilder"/> keep one per core). Use: <c>[AsyncMethodBuilder(typeof(LoopMethodBuilder))]</c> on a method
/// that returns <see cref="ValueTask"/>, whose result is awaited exactly once. No execution context flows.
/// </summary>
internal struct LoopMethodBuilder
{
    private LoopMethodBuilder<VoidResult> _inner;

    public static LoopMethodBuilder Create() => default;

    public readonly ValueTask Task => _inner.Box is { } box ? new(box, box.Version) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult() => _inner.SetResult(default);

    public void SetException(Exception exception) => _inner.SetException(exception);

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(_inner.Continuation(ref stateMachine));

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(_inner.Continuation(ref stateMachine));

    internal readonly struct VoidResult;
}

/// <inheritdoc cref="LoopMethodBuilder"/>
internal struct LoopMethodBuilder<TResult>
{
    private TResult _result;

    public static LoopMethodBuilder<TResult> Create() => default;

    internal LoopMethodBox<TResult>? Box { get; private set; }

    public readonly ValueTask<TResult> Task => Box is { } box ? new(box, box.Version) : new(_result);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult(TResult result)
    {
        if (Box is null) _result = result;
        else Box.SetResult(result);
    }

    public void SetException(Exception exception)
    {
        // Thrown before the first wait: the caller's await must see it all the same.
        Box ??= new LoopMethodBox<TResult>();
        Box.SetException(exception);
    }

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(Continuation(ref stateMachine));

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Continuation(ref stateMachine));

    /// <summary>What goes on with the method; at its first wait the method moves from the stack into a box.</summary>
    internal Action Continuation<TStateMachine>(ref TStateMachine stateMachine) where TStateMachine : IAsyncStateMachine
    {
        if (Box is LoopMethodBox<TStateMachine, TResult> moved) return moved.Continuation;
        LoopMethodBox<TStateMachine, TResult> box = LoopMethodBox<TStateMachine, TResult>.Rent();
        Box = box; // this builder is a field of the state machine, so it is set before the copy
        box.StateMachine = stateMachine;
        return box.Continuation;
    }
}

/// <summary>The result of a method that had to wait.</summary>
internal class LoopMethodBox<TResult> : IValueTaskSource<TResult>, IValueTaskSource
{
    private LoopCompletion<TResult> _completion;
    private ExceptionDispatchInfo? _exception;

    internal LoopMethodBox() => _completion.Start();

    internal short Version => _completion.Version;

    internal void SetResult(TResult result) => _completion.SetResult(result);

    internal void SetException(Exception exception)
    {
        _exception = ExceptionDispatchInfo.Capture(exception);
        _completion.SetResult(default!);
    }

    public TResult GetResult(short token)
    {
        TResult result = _completion.GetResult(token);
        ExceptionDispatchInfo? exception = _exception;
        _exception = null;
        _completion.Start(); // a second await of the same task is caught
        Return();
        exception?.Throw();
        return result;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token)
    {
        ValueTaskSourceStatus status = _completion.GetStatus(token);
        return status == ValueTaskSourceStatus.Succeeded && _exception is not null ? ValueTaskSourceStatus.Faulted : status;
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);

    private protected virtual void Return()
    {
    }
}

/// <summary>A method that waits.</summary>
internal sealed class LoopMethodBox<TStateMachine, TResult> : LoopMethodBox<TResult> where TStateMachine : IAsyncStateMachine
{
    // As many as are ever likely to wait at once in one method; what is beyond is left to the collector.
    private const int KeptMax = 1024;

    [ThreadStatic] private static LoopMethodBox<TStateMachine, TResult>? _kept;
    [ThreadStatic] private static int _keptCount;

    private LoopMethodBox<TStateMachine, TResult>? _next;
    internal TStateMachine StateMachine = default!;
    internal readonly Action Continuation;

    private LoopMethodBox() => Continuation = MoveNext;

    private void MoveNext() => StateMachine.MoveNext();

    internal static LoopMethodBox<TStateMachine, TResult> Rent()
    {
        LoopMethodBox<TStateMachine, TResult>? box = _kept;
        if (box is null) return new();
        _kept = box._next;
        _keptCount--;
        box._next = null;
        return box;
    }

    private protected override void Return()
    {
        StateMachine = default!; // holds on to nothing of the request
        if (_keptCount >= KeptMax) return;
        _keptCount++;
        _next = _kept;
        _kept = this;
    }
}
