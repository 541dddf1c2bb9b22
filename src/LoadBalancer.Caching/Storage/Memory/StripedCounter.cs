using System.Numerics;
using System.Runtime.InteropServices;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>A count that many threads add to: each processor has a cache line of its own.</summary>
internal sealed class StripedCounter
{
    private readonly Stripe[] _stripes = new Stripe[BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount)];

    internal long Value
    {
        get
        {
            long value = 0;
            foreach (ref Stripe stripe in _stripes.AsSpan()) value += Volatile.Read(ref stripe.Count);
            return value;
        }
    }

    internal void Increment() => Interlocked.Increment(ref _stripes[Thread.GetCurrentProcessorId() & (_stripes.Length - 1)].Count);

    // 128 bytes: lines are fetched in pairs.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Stripe
    {
        [FieldOffset(0)]
        internal long Count;
    }
}
