using System.Runtime.CompilerServices;

namespace LoadBalancer.Core.Transport;

/// <summary><c>await new LoopSwitch(loop)</c> goes on, on the loop's thread, from wherever it is awaited.</summary>
internal readonly struct LoopSwitch(TransportLoop loop) : ICriticalNotifyCompletion
{
    public LoopSwitch GetAwaiter() => this;

    public bool IsCompleted => loop.IsCurrent;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => loop.Post(new Resume(continuation));

    public void UnsafeOnCompleted(Action continuation) => loop.Post(new Resume(continuation));

    private sealed class Resume(Action continuation) : LoopWork
    {
        protected internal override void Execute() => continuation();
    }
}
