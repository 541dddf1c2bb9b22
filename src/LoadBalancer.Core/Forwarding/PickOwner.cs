using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// What goes to a destination, a request or a whole TCP connection: has one picked for it, waits in line for it, connects to it. Its timer guards each of
/// these waits. Loop's thread only.
/// </summary>
internal abstract class PickOwner(LoopContext context) : LoopTimer
{
    internal readonly LoopContext Context = context;
    internal CompletionRecord Record = new(); // another after each request, where records are kept
    internal PickLease Lease;
    internal DestinationState Destination = null!; // of the last pick
    internal Destination? Exclude;     // the one that failed, which a retry passes over
    internal int AttemptIndex = -1;    // of the attempt under way, in the record
    internal UpstreamConnection? Upstream;
    internal ClusterSnapshot? Cluster;
    internal LoopWait? NameWait;       // while the destination's name is looked up
    internal LoopWaitQueue? Queue;     // where it waits for a destination; null when it does not
    internal PickOwner? NextQueued, PreviousQueued;
    internal Action? AfterQueue;       // goes on when that is over
    internal long EndTimestamp;        // when the last pick was completed; 0 before

    /// <summary>First cause of failure; later ones are consequences.</summary>
    internal EndReason FailReason;

    /// <summary>What the timer guards.</summary>
    internal ExchangePhase Phase;

    /// <summary>Whose it is.</summary>
    internal abstract TransportConnection ClientTransport { get; }

    /// <summary>Whether what it carries is HTTP, which TLS tells the destination.</summary>
    internal virtual bool CarriesHttp => true;

    /// <summary>Picks a destination, now that its turn has come. False when none may be used.</summary>
    internal abstract bool PickNow();

    /// <summary>Arms the timer for a wait.</summary>
    internal abstract void Arm(ExchangePhase phase, long milliseconds);

    /// <summary>The wait is over.</summary>
    internal abstract void Disarm();

    /// <summary>Picks, unless others wait: who comes then gets in line.</summary>
    internal bool Pick() => Cluster!.Queue is not { IsUsed: true } && PickNow();

    /// <summary>Whether a failed attempt that can be repeated may be: asked last, since it takes the retry from the cluster's budget.</summary>
    internal bool MayRetry()
    {
        if (Record.Attempts > Cluster!.Config.RetriesMax) return false;
        if (FailReason == EndReason.UpstreamOverloaded) return true; // nothing has left the balancer: that costs nobody anything
        Record.IsRetryDenied = !Cluster.RetryBudget.TryTake(Context.Loop.Time.GetTimestamp());
        return !Record.IsRetryDenied;
    }

    /// <summary>Whether an attempt ended before anything was sent, so that repeating it is safe whatever it is.</summary>
    internal bool HasNotConnected => FailReason is EndReason.UpstreamConnectFailed or EndReason.UpstreamConnectTimeout or EndReason.UpstreamUnresolved
        or EndReason.UpstreamTlsFailed or EndReason.UpstreamCertificateInvalid or EndReason.UpstreamOverloaded;

    /// <summary>A wait that both kinds have has taken too long.</summary>
    protected internal override void OnTimeout()
    {
        switch (Phase)
        {
            case ExchangePhase.Queue:
                Fail(EndReason.QueueTimeout);
                break;
            case ExchangePhase.Connect:
                Fail(EndReason.UpstreamConnectTimeout);
                break;
        }
    }

    /// <summary>Notes the cause, the first one only, and cuts the destination or the search for it, which wakes whoever waits for it.</summary>
    internal virtual void Fail(EndReason reason)
    {
        if (FailReason == EndReason.None) FailReason = reason;
        NameWait?.Cut();
        if (Queue is { } queue) queue.Leave(this);
        else Upstream?.Transport.Abort();
    }
}
