namespace LoadBalancer.Balancing;

/// <summary>A turn number that all threads advance, on a line of memory of its own.</summary>
internal sealed class TurnCounter
{
    private readonly PaddedCounter[] _turns = new PaddedCounter[3]; // the middle one: the first shares its line with the array's length

    internal TurnCounter(long first) => _turns[1].Value = first - 1;

    internal ulong Next() => (ulong)Interlocked.Increment(ref _turns[1].Value);
}
