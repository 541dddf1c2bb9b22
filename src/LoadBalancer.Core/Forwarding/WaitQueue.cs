using System.Runtime.CompilerServices;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// Requests, or TCP connections, of one cluster that wait while all its destinations are at their limits: bounded over all loops, first in, first out on each.
/// Whoever completes a pick lets the loops that wait have their turn round robin; a loop that has served all its own passes it on.
/// </summary>
/// <remarks>
/// No wake-up is lost: a request counts itself as waiting, here and on its loop, before the first in line tries to pick once more, and a
/// completion gives its place back before it looks at the counts (all are full fences), so one of the two sees the other.
/// </remarks>
internal sealed class WaitQueue(QueueConfig config, int loopCount)
{
    private readonly LoopWaitQueue[] _loops = new LoopWaitQueue[loopCount];
    private int _waiting;
    private int _turn;

    private volatile QueueConfig _config = config;

    /// <summary>How many may wait, and for how long. Those who wait already are not sent away.</summary>
    internal QueueConfig Config
    {
        get => _config;
        set => _config = value;
    }

    /// <summary>Whether any request waits: then one that comes gets in line.</summary>
    internal bool IsUsed => Volatile.Read(ref _waiting) > 0;

    /// <summary>Called once for each loop, before it starts.</summary>
    internal void Attach(LoopContext context) => _loops[context.Loop.Index] = new LoopWaitQueue(this, context.Loop);

    /// <summary>The queue of a loop.</summary>
    internal LoopWaitQueue Of(LoopContext context) => _loops[context.Loop.Index];

    /// <summary>A destination can take one more, or came back. Any thread. Hot path: per attempt in clusters with a queue.</summary>
    internal void Freed()
    {
        if (IsUsed) WakeNext();
    }

    private void WakeNext()
    {
        uint first = (uint)Interlocked.Increment(ref _turn);
        for (uint i = 0; i < (uint)_loops.Length; i++)
        {
            LoopWaitQueue loop = _loops[(first + i) % (uint)_loops.Length];
            if (loop.Count == 0) continue;
            loop.Wake();
            return;
        }
    }

    internal void Uncount() => Interlocked.Decrement(ref _waiting);

    private bool TryCount()
    {
        if (Interlocked.Increment(ref _waiting) <= _config.RequestsMax) return true;
        Interlocked.Decrement(ref _waiting);
        return false;
    }

    /// <summary>
    /// Has a request wait for its turn: <see cref="EndReason.None"/> when it has a destination, else why it has none: no room, time is up, or
    /// whatever else has ended the request. On the loop's thread.
    /// </summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal async ValueTask<EndReason> WaitAsync(PickOwner exchange)
    {
        if (exchange.FailReason != EndReason.None) return exchange.FailReason; // the client left while a failed attempt was wound up
        if (!TryCount()) return _config.RequestsMax == 0 ? EndReason.UpstreamOverloaded : EndReason.QueueFull;
        long since = exchange.Context.Loop.Time.GetTimestamp();
        exchange.Arm(ExchangePhase.Queue, (long)_config.Timeout.TotalMilliseconds);
        await Of(exchange.Context).EnterAsync(exchange);
        exchange.Disarm();
        exchange.EndTimestamp = exchange.Context.Loop.Time.GetTimestamp(); // of the request, when it has ended here
        exchange.Record.QueuedTicks += exchange.EndTimestamp - since;
        return exchange.Lease.IsActive ? EndReason.None : exchange.FailReason;
    }
}
