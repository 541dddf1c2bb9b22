using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Lab;

/// <summary>What came out of a live comparison.</summary>
/// <param name="Experiment">The runs, one for each round, in the simulator's form. Their hashes mean nothing: no two live runs are equal.</param>
/// <param name="Lateness">
/// By how much requests were sent, and servers' events happened, after they were due. It is part of the latencies, which count from when
/// requests were due; much of it says that the machine is too slow for the rate.
/// </param>
public sealed record LiveResult(ExperimentResult Experiment, LatencyHistogram Lateness);
