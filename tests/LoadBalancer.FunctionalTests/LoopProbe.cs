using LoadBalancer.Core;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.FunctionalTests;

/// <summary>Reads on a running loop's own thread what only that thread may read.</summary>
internal static class LoopProbe
{
    /// <summary>Buffers that the loop has out on lease.</summary>
    internal static Task<int> LeasedSlabsAsync(this LoopContext context, CancellationToken token)
    {
        var work = new Probe(context);
        context.Loop.Post(work);
        return work.Leased.Task.WaitAsync(token);
    }

    private sealed class Probe(LoopContext context) : LoopWork
    {
        internal TaskCompletionSource<int> Leased { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => Leased.SetResult(context.Loop.Slabs.Leased);
    }
}
