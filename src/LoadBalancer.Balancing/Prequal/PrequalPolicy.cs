namespace LoadBalancer.Balancing;

/// <summary>
/// Prequal (Wydrowski et al., NSDI 2024): asks a few random destinations for their true load ahead of time, and picks, from a small pool of
/// answers, the fastest of those that are not hot, or else the least loaded. For many balancers in front of destinations that share
/// machines with others, where a balancer's own counts say little. Needs a probe endpoint: see <see cref="Scheduler.TakeProbes"/>. Without
/// answers it is power-of-two. A destination that fails fast looks fast: pair it with ejection.
/// </summary>
/// <param name="options">Null for the defaults.</param>
public sealed class PrequalPolicy(PrequalOptions? options = null) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "prequal";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new PrequalPicker(set, options ?? new());
}

internal sealed class PrequalPicker : IDestinationPicker
{
    private const int DueMax = 64; // probes that add up when nobody takes them
    private const int ProbeUnit = 1024; // of the count of probes due, for fractions
    private readonly DestinationSet _set;
    private readonly PrequalPool _pool;
    private readonly PowerOfTwoPicker<OutstandingLoad> _fallback;
    private readonly int _duePerPick;
    private int _due;
    private int _pooling; // 1 while a thread uses the pool; the others do not wait for it

    internal PrequalPicker(DestinationSet set, PrequalOptions options)
    {
        _set = set;
        _pool = new PrequalPool(set.Count, options, set.Options.TimestampFrequency, set.Random);
        _fallback = new PowerOfTwoPicker<OutstandingLoad>(set, default);
        _duePerPick = (int)(options.ProbesPerPick * ProbeUnit);
    }

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        if (Volatile.Read(ref _due) < DueMax * ProbeUnit) Interlocked.Add(ref _due, _duePerPick);
        Destination? picked = null;
        if (Interlocked.CompareExchange(ref _pooling, 1, 0) == 0)
        {
            picked = _pool.Take(context.Exclude, context.Timestamp);
            Volatile.Write(ref _pooling, 0);
        }
        return picked is not null && picked.TryReserve(context.Timestamp, out _) ? picked : _fallback.Pick(context);
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
    }

    /// <inheritdoc/>
    public int TakeProbes(Span<Destination> targets)
    {
        int taken = 0;
        for (; taken < targets.Length && _set.Count > 0 && Volatile.Read(ref _due) >= ProbeUnit; taken++)
        {
            if (Interlocked.Add(ref _due, -ProbeUnit) < 0)
            {
                Interlocked.Add(ref _due, ProbeUnit);
                break;
            }
            targets[taken] = Draw(targets[..taken]);
        }
        return taken;
    }

    // Without replacement: among few destinations, asking one twice at the same moment would waste much.
    private Destination Draw(ReadOnlySpan<Destination> taken)
    {
        int seat = _set.Random.Next(_set.Count);
        for (int i = 0; i < _set.Count && taken.Contains(_set[seat]); i++) seat = seat + 1 < _set.Count ? seat + 1 : 0;
        return _set[seat];
    }

    /// <inheritdoc/>
    public void Probed(Destination destination, in ProbeResult result, long now)
    {
        // The answer of one that has left since is not used; one that meets a pick in the pool is lost, as probes may be.
        if (_set.SeatOf(destination) < 0 || Interlocked.CompareExchange(ref _pooling, 1, 0) != 0) return;
        _pool.Add(destination, result, now);
        Volatile.Write(ref _pooling, 0);
    }
}
