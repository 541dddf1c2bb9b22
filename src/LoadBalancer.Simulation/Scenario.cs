namespace LoadBalancer.Simulation;

/// <summary>What is simulated: the servers, the work that arrives, and how many balancers share it without knowing of each other.</summary>
public sealed record Scenario
{
    /// <summary>The servers, all weight 1.</summary>
    public required IReadOnlyList<ServerModel> Servers { get; init; }

    /// <summary>Changes of servers in the course of the run, in order of time.</summary>
    public IReadOnlyList<ServerChange> Changes { get; init; } = [];

    /// <summary>Seconds between arrivals; they come whatever the answers do (open loop).</summary>
    public required Distribution Arrivals { get; init; }

    /// <summary>Seconds of work of a request on a core of speed 1.</summary>
    public required Distribution Demand { get; init; }

    /// <summary>Balancers that the arrivals spread over at random, each with its own scheduler. Default 1.</summary>
    public int Balancers { get; init; } = 1;

    /// <summary>Number of requests, the warm-up included. Default 200 000.</summary>
    public int Requests { get; init; } = 200_000;

    /// <summary>Part of the requests at the start that is not measured. Default 0.1.</summary>
    public double WarmUp { get; init; } = 0.1;

    /// <summary>Makes the run repeatable; arrivals and work depend on it alone, so all policies meet the same. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Work that arrives, as a part of what the servers can do at their first speeds.</summary>
    public double Load => Demand.Mean / Arrivals.Mean / Servers.Sum(server => server.Cores * server.Speed);
}

/// <summary>How a server shares its cores.</summary>
public enum ServiceDiscipline
{
    /// <summary>All requests at once, each with a fair part of the cores and one core at most (threads, event loops).</summary>
    ProcessorSharing,
    /// <summary>One request for each core, the others wait in line (worker pools).</summary>
    FirstComeFirstServed,
}

/// <summary>A server.</summary>
/// <param name="Cores">Requests it works on at full speed.</param>
/// <param name="Speed">Seconds of work done in a second by a core. 1 is normal.</param>
/// <param name="Discipline">How the cores are shared.</param>
public sealed record ServerModel(int Cores = 1, double Speed = 1, ServiceDiscipline Discipline = ServiceDiscipline.ProcessorSharing);

/// <summary>Something that happens to a server.</summary>
/// <param name="AtSeconds">Since the start.</param>
/// <param name="Server">Its index.</param>
/// <param name="Speed">New speed; 0 for a stall. Null for no change.</param>
/// <param name="FailsAfterSeconds">From now on it answers every new request with an error after so long; negative for no longer. Null for no change.</param>
public sealed record ServerChange(double AtSeconds, int Server, double? Speed = null, double? FailsAfterSeconds = null);
