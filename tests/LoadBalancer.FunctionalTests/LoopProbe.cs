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

    /// <summary>Keeps the loop from everything else until disposed of, so that what comes meanwhile is met in one turn.</summary>
    internal static LoopHold Hold(this LoopContext context)
    {
        var hold = new LoopHold();
        context.Loop.Post(hold);
        return hold;
    }

    internal sealed class LoopHold : LoopWork, IDisposable
    {
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _go = new(false);

        internal Task HeldAsync(CancellationToken token) => _held.Task.WaitAsync(token);

        protected internal override void Execute()
        {
            _held.SetResult();
            _go.Wait();
        }

        public void Dispose() => _go.Set();
    }

    private sealed class Probe(LoopContext context) : LoopWork
    {
        internal TaskCompletionSource<int> Leased { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => Leased.SetResult(context.Loop.Slabs.Leased);
    }
}
