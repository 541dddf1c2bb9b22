using System.Net.Sockets;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>
/// One asynchronous socket operation, used over and over: started on the loop's thread, completed by the runtime on a pool thread,
/// which does nothing but post it back. So <see cref="OnFinished"/> runs on the loop's thread, and every field is that thread's.
/// </summary>
internal abstract class SocketOperation : SocketAsyncEventArgs
{
    private readonly TransportLoop _loop;
    private readonly Completion _completion;

    // true: no execution context is captured; that of whoever made the connection is of no use to the loop.
    protected SocketOperation(TransportLoop loop) : base(true)
    {
        _loop = loop;
        _completion = new Completion(this);
    }

    /// <summary>Whether the runtime has it: it cannot be started again, and what it points at must not be reused.</summary>
    internal bool InFlight { get; private set; }

    /// <summary>Calls the socket. True when the completion comes later.</summary>
    protected abstract bool Begin();

    /// <summary>The completion, on the loop's thread. Not called for an operation that ended within <see cref="Start"/>.</summary>
    protected abstract void OnFinished();

    /// <summary>False when the operation has ended already; its outcome is in <see cref="SocketAsyncEventArgs.SocketError"/>.</summary>
    internal bool Start() => InFlight = Begin();

    protected sealed override void OnCompleted(SocketAsyncEventArgs e) => _loop.Post(_completion);

    private sealed class Completion(SocketOperation operation) : LoopWork
    {
        protected internal override void Execute()
        {
            operation.InFlight = false;
            operation.OnFinished();
        }
    }
}
