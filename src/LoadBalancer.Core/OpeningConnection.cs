using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core;

/// <summary>
/// A stage before the first request, in which the peer owes us something within a time: no answer is lost when it is cut. It ends with the next stage, or with
/// a reason that the observer is told. Lives on its loop's thread.
/// </summary>
internal abstract class OpeningConnection(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    : ClientConnection(context, listener, transport)
{
    /// <summary>Why the connection ends in this stage; <see cref="EndReason.None"/> while it may go on.</summary>
    private protected EndReason Reason { get; set; }

    private protected abstract EndReason TimeoutReason { get; }

    /// <summary>Runs the stage.</summary>
    private protected void Begin(long timeoutMilliseconds)
    {
        base.Start();
        TryHold(); // the next stage begins with it
        Context.Loop.Timers.Set(this, Context.Loop.NowMilliseconds + timeoutMilliseconds);
        _ = RunAsync(); // ends with the stage; catches everything itself
    }

    /// <summary>Ends the connection instead of running the stage, the cheapest way for us.</summary>
    private protected void Refuse(EndReason reason)
    {
        Record(reason);
        Transport.Abort();
        Transport.Close();
    }

    private async Task RunAsync()
    {
        try
        {
            await OpenAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Context.Server.OnInternalError(e);
            Reason = EndReason.InternalError;
        }
        if (Reason == EndReason.None) Proceed();
        else
        {
            Record(Reason);
            Close();
        }
        Leave();
    }

    /// <summary>Waits for what the peer owes. Sets <see cref="Reason"/> where the connection is to end; one that is set meanwhile holds.</summary>
    private protected abstract ValueTask OpenAsync();

    /// <summary>Starts the next stage.</summary>
    private protected abstract void Proceed();

    private protected virtual void Close() => Transport.Close();

    internal sealed override void Fail(EndReason reason)
    {
        if (Reason == EndReason.None) Reason = reason;
        Transport.Abort();
    }

    protected internal sealed override void OnTimeout() => Fail(TimeoutReason);

    /// <summary>Draining: who has not said anything yet is not waited for.</summary>
    internal sealed override void OnDrain() => Fail(EndReason.Shutdown);
}
