using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Lab;

/// <summary>How a scenario is run live.</summary>
public sealed record LiveOptions
{
    /// <summary>Rounds; in each every algorithm has a turn, with the same requests. Default 3.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Seed of the first round; each has its own. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// Whether the balancers eject outliers, as they do unless told otherwise. Default false: the algorithms alone are compared, as the simulator does.
    /// </summary>
    public bool Ejection { get; init; }

    /// <summary>Transport of the balancers. Default <see cref="TransportKind.Auto"/>.</summary>
    public TransportKind Transport { get; init; }

    /// <summary>Length of the turn that each algorithm has before the first round, and that is not counted; connections are made in it, code is compiled. Default 1 s.</summary>
    public TimeSpan Rehearsal { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long after its last request a turn waits for answers; what is unanswered then counts as an error that took as long as it was waited for.
    /// Default 2 s.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);
}
