namespace LoadBalancer.Simulation.Scenarios;

/// <summary>A kind of requests.</summary>
public sealed class ClassSpec
{
    /// <summary>Its part of all requests, relative to those of the other classes. Above 0 to 1000, default 1.</summary>
    public double Share { get; set; } = 1;

    /// <summary>What a request of it costs: its time alone on a core of speed 1. Default exponential with mean 10 ms.</summary>
    public DurationSpec Service { get; set; } = new() { Mean = SimTime.Milliseconds(10) };
}
