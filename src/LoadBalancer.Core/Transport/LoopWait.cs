using System.Runtime.CompilerServices;

namespace LoadBalancer.Core.Transport;

/// <summary>
/// Waits on a loop for a task that ends elsewhere, or until <see cref="Cut"/>. Awaited once, on the loop, where it goes on; whether the task
/// has ended, and how, is for the awaiting code to see.
/// </summary>
internal sealed class LoopWait : LoopWork, ICriticalNotifyCompletion
{
    private readonly TransportLoop _loop;
    private Action? _continuation;

    internal LoopWait(TransportLoop loop, Task task)
    {
        _loop = loop;
        // Posted even where the task has ended already: by the time the loop comes to it, this is awaited.
        _ = task.ContinueWith(static (_, wait) => ((LoopWait)wait!).Post(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public bool IsCompleted => false;

    public LoopWait GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => _continuation = continuation;

    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    /// <summary>Ends the wait, from the loop's next look at its work on. On the loop.</summary>
    internal void Cut() => _loop.Post(new Early(this));

    protected internal override void Execute()
    {
        Action? continuation = _continuation;
        _continuation = null;
        continuation?.Invoke();
    }

    private void Post() => _loop.Post(this);

    // Not the wait itself: that may be in the queue, and cannot be there twice.
    private sealed class Early(LoopWait wait) : LoopWork
    {
        protected internal override void Execute() => wait.Execute();
    }
}
