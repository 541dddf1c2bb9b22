using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Policies;

/// <summary>Has something done on a loop that another thread asks for.</summary>
internal static class OnLoop
{
    internal static ValueTask<TResult> RunAsync<TPart, TResult>(TransportLoop loop, TPart part, Func<TPart, ValueTask<TResult>> run)
    {
        var errand = new Errand<TPart, TResult>(part, run);
        loop.Post(errand);
        return new(errand.Result.Task);
    }

    private sealed class Errand<TPart, TResult>(TPart part, Func<TPart, ValueTask<TResult>> run) : LoopWork
    {
        internal TaskCompletionSource<TResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => _ = ExecuteAsync();

        private async Task ExecuteAsync()
        {
            try
            {
                Result.TrySetResult(await run(part).ConfigureAwait(false));
            }
            catch (Exception e)
            {
                Result.TrySetException(e);
            }
        }
    }
}
