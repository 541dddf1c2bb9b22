using System.Text.Json.Serialization;
using LoadBalancer.Simulation.Replay;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>What is simulated: who asks, what the requests cost, which servers there are and what happens to them. The keys of scenario.json.</summary>
// Set rather than init: generated deserialization would pass default values for init-only properties that the file leaves out.
public sealed class Scenario
{
    /// <summary>Most <see cref="Classes"/>.</summary>
    public const int ClassesMax = 64;

    /// <summary>Name in reports.</summary>
    public string Name { get; set; } = "scenario";

    /// <summary>What it shows, in a sentence.</summary>
    public string Description { get; set; } = "";

    /// <summary>Requests in a run, 1000 to 100 million. Default 200 000.</summary>
    public int Requests { get; set; } = 200_000;

    /// <summary>Part of the requests, at the start, that is not measured: 0 to 0.9. Default 0.1.</summary>
    public double WarmUp { get; set; } = 0.1;

    /// <summary>Balancers that know nothing of each other and get equal parts of the requests at random: 1 to 1000. Default 1.</summary>
    public int Balancers { get; set; } = 1;

    /// <summary>Time from balancer to server, and back again, drawn for each request. Default none.</summary>
    public DurationSpec? NetworkDelay { get; set; }

    /// <summary>After which a balancer gives up an attempt; the server works on. Default: never.</summary>
    public SimTime Timeout { get; set; }

    /// <summary>Further attempts, at other servers, after a failure: 0 to 10. Default 0.</summary>
    public int Retries { get; set; }

    /// <summary>
    /// Most retries as a part of the requests of the last ten seconds, 0 to 1, beyond three a second, which every balancer may make:
    /// <see cref="Balancing.RetryBudget"/>. Default: no limit but <see cref="Retries"/>.
    /// </summary>
    public double? RetryBudget { get; set; }

    /// <summary>Whether servers that fail requests are taken out for a time: <see cref="Balancing.EjectionOptions"/> with its defaults. Default false.</summary>
    public bool Ejection { get; set; }

    /// <summary>The balancers' slow start for servers that come (back): <see cref="Balancing.SchedulerOptions.SlowStart"/>. Default 10 s.</summary>
    public SimTime SlowStart { get; set; } = SimTime.Seconds(10);

    /// <summary>After which health checks notice that a server crashed or recovered. Default: there are no health checks.</summary>
    public SimTime? FailureDetection { get; set; }

    /// <summary>Different keys among the requests, for hashing policies, all equally frequent. Default 10 000.</summary>
    public int Keys { get; set; } = 10_000;

    /// <summary>When requests come.</summary>
    public ArrivalSpec Arrivals { get; set; } = new();

    /// <summary>What a request costs: its time alone on a core of speed 1. Default exponential with mean 10 ms.</summary>
    public DurationSpec Service { get; set; } = new() { Mean = SimTime.Milliseconds(10) };

    /// <summary>
    /// Kinds of requests that the balancers can tell apart, such as routes, each with a cost of its own; they replace <see cref="Service"/>.
    /// At most 64. Default none: all are of one kind.
    /// </summary>
    public List<ClassSpec> Classes { get; set; } = [];

    /// <summary>Groups of servers.</summary>
    public List<ServerSpec> Servers { get; set; } = [new()];

    /// <summary>Recorded requests that replace <see cref="Arrivals"/> and <see cref="Service"/>.</summary>
    [JsonIgnore]
    public Trace? Trace { get; set; }

    /// <summary>Mean rate of arrivals over what the servers can answer together; 1 or more means that queues grow.</summary>
    [JsonIgnore]
    public double OfferedLoad => Capacity.RateOf(this) / Capacity.Of(this);

    /// <summary>The same with another number of requests.</summary>
    internal Scenario WithRequests(int requests)
    {
        var copy = (Scenario)MemberwiseClone();
        copy.Requests = requests;
        return copy;
    }

    /// <summary>The same with another load, see <see cref="ArrivalSpec.Load"/>.</summary>
    internal Scenario WithLoad(double load)
    {
        var copy = (Scenario)MemberwiseClone();
        copy.Arrivals = Arrivals.WithLoad(load);
        return copy;
    }
}

/// <summary>When requests come.</summary>
public sealed class ArrivalSpec
{
    /// <summary>The process. Default Poisson.</summary>
    public ArrivalKind Kind { get; set; }

    /// <summary>Mean requests per second; 0 (default) to use <see cref="Load"/>.</summary>
    public double Rate { get; set; }

    /// <summary>
    /// Mean rate as a part of what all servers can do together, with antagonists and pauses taken off and failures not. Above 0 to 10,
    /// default 0.7.
    /// </summary>
    public double Load { get; set; } = 0.7;

    /// <summary>For <see cref="ArrivalKind.Bursty"/>.</summary>
    public BurstSpec Burst { get; set; } = new();

    /// <summary>Factors on the rate at times, with straight lines between them. For Poisson arrivals. Default none.</summary>
    public List<RatePoint> Profile { get; set; } = [];

    internal ArrivalSpec WithLoad(double load)
    {
        var copy = (ArrivalSpec)MemberwiseClone();
        (copy.Load, copy.Rate) = (load, 0);
        return copy;
    }
}

/// <summary>Arrival processes.</summary>
public enum ArrivalKind
{
    /// <summary>Independent users: exponential times between requests.</summary>
    [JsonStringEnumMemberName("poisson")] Poisson,
    /// <summary>Equal times between requests.</summary>
    [JsonStringEnumMemberName("deterministic")] Deterministic,
    /// <summary>Poisson at two rates that take turns for exponential times (MMPP-2).</summary>
    [JsonStringEnumMemberName("bursty")] Bursty,
}

/// <summary>The two rates of bursty arrivals.</summary>
public sealed class BurstSpec
{
    /// <summary>Rate in a burst over that outside. Above 1 to 1000, default 5.</summary>
    public double Factor { get; set; } = 5;

    /// <summary>Mean length of a burst. Default 200 ms.</summary>
    public SimTime On { get; set; } = SimTime.Milliseconds(200);

    /// <summary>Mean time between bursts. Default 1.8 s.</summary>
    public SimTime Off { get; set; } = SimTime.Milliseconds(1800);
}

/// <summary>A point of the rate's profile.</summary>
public sealed class RatePoint
{
    /// <summary>When.</summary>
    public SimTime At { get; set; }

    /// <summary>Factor on the rate, 0 to 100.</summary>
    public double Factor { get; set; } = 1;
}
