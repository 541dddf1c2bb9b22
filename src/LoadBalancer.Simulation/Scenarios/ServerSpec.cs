using System.Text.Json.Serialization;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>A group of equal servers.</summary>
public sealed class ServerSpec
{
    /// <summary>How many; 1 to 1000. Default 1.</summary>
    public int Count { get; set; } = 1;

    /// <summary>Requests it works on at full speed at once: 1 to 1000. Default 4.</summary>
    public int Cores { get; set; } = 4;

    /// <summary>What happens with more than that. Default processor sharing.</summary>
    public Discipline Discipline { get; set; }

    /// <summary>Requests beyond <see cref="Cores"/> that it takes; more are refused with an error. 0 (default) for no limit.</summary>
    public int QueueMax { get; set; }

    /// <summary>Speed of a core. Above 0 to 1000, default 1.</summary>
    public double Speed { get; set; } = 1;

    /// <summary>Weight configured in the balancers. Default 1.</summary>
    public int Weight { get; set; } = 1;

    /// <summary>Priority in the balancers: 0 (default) first, the next as far as those before cannot carry the load; to 15.</summary>
    public int Tier { get; set; }

    /// <summary>A neighbour that takes part of the machine from time to time.</summary>
    public AntagonistSpec? Antagonist { get; set; }

    /// <summary>Times when nothing runs: garbage collection.</summary>
    public PauseSpec? Pauses { get; set; }

    /// <summary>How slow it is after a start, at <see cref="JoinAt"/> or after a crash.</summary>
    public ColdStartSpec? ColdStart { get; set; }

    /// <summary>When it is added; default: it is there from the start.</summary>
    public SimTime? JoinAt { get; set; }

    /// <summary>A time during which it refuses connections; what it has is lost.</summary>
    public OutageSpec? Crash { get; set; }

    /// <summary>A time during which it answers with errors at once.</summary>
    public OutageSpec? BlackHole { get; set; }

    /// <summary>Factors on its speed, each from its time on; 0 for a hang.</summary>
    public List<SpeedPoint> SpeedChanges { get; set; } = [];
}

/// <summary>What a server does with more requests than cores.</summary>
public enum Discipline
{
    /// <summary>All share the cores evenly: threads on a processor.</summary>
    [JsonStringEnumMemberName("processor-sharing")] ProcessorSharing,
    /// <summary>They wait for their turn: a pool of workers.</summary>
    [JsonStringEnumMemberName("fcfs")] FirstComeFirstServed,
}

/// <summary>Slowness that comes and goes, for exponential times.</summary>
public sealed class AntagonistSpec
{
    /// <summary>How many times slower the server is meanwhile. 1 to 1000, default 4.</summary>
    public double Slowdown { get; set; } = 4;

    /// <summary>Mean time it lasts. Default 2 s.</summary>
    public SimTime On { get; set; } = SimTime.Seconds(2);

    /// <summary>Mean time without it. Default 6 s.</summary>
    public SimTime Off { get; set; } = SimTime.Seconds(6);
}

/// <summary>Pauses of fixed length, with exponential times between them.</summary>
public sealed class PauseSpec
{
    /// <summary>Mean time between pauses. Default 4 s.</summary>
    public SimTime Every { get; set; } = SimTime.Seconds(4);

    /// <summary>How long each lasts. Default 200 ms.</summary>
    public SimTime Length { get; set; } = SimTime.Milliseconds(200);
}

/// <summary>Speed after a start, rising in a straight line.</summary>
public sealed class ColdStartSpec
{
    /// <summary>Factor on the speed at first. Above 0 to 1, default 0.2.</summary>
    public double From { get; set; } = 0.2;

    /// <summary>Time to full speed. Default 10 s.</summary>
    public SimTime Over { get; set; } = SimTime.Seconds(10);
}

/// <summary>A time of failure.</summary>
public sealed class OutageSpec
{
    /// <summary>When it begins.</summary>
    public SimTime At { get; set; }

    /// <summary>When it ends; default never.</summary>
    public SimTime? Until { get; set; }

    /// <summary>How long a request takes to fail. Default 1 ms.</summary>
    public SimTime Latency { get; set; } = SimTime.Milliseconds(1);
}

/// <summary>A change of speed.</summary>
public sealed class SpeedPoint
{
    /// <summary>When.</summary>
    public SimTime At { get; set; }

    /// <summary>Factor on the configured speed, 0 to 1000.</summary>
    public double Factor { get; set; } = 1;
}
