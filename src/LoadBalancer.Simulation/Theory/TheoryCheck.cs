using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Theory;

/// <summary>A quantity for which queueing theory has a formula, and the simulator a measurement.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Expected">By the formula, in units of the mean service time.</param>
/// <param name="Tolerance">Relative difference that is allowed.</param>
/// <param name="Measure">Runs the simulation.</param>
public sealed record TheoryCheck(string Name, double Expected, double Tolerance, Func<double> Measure)
{
    private const double Unit = 1e9; // mean service time, in ns: large, so that rounding to whole ns is nothing
    private const int Requests = 400_000;
    private const int Seeds = 3;
    private const ulong FirstSeed = 1001;

    /// <summary>All checks. Tolerances are about three standard errors of the simulation and, for two choices, what 500 servers differ from infinitely many (with 100 the mean at 0.9 is 1 to 2 % higher).</summary>
    public static IReadOnlyList<TheoryCheck> All { get; } =
    [
        Mean("M/M/1, fcfs", 0.7, QueueingFormulas.SingleServer(0.7), 0.03, "round-robin", Group(1, 1)),
        Quantile("M/M/1, fcfs, p99", 0.7, 0.99, QueueingFormulas.SingleServerQuantile(0.7, 0.99), 0.06),
        Mean("M/M/4", 0.7, QueueingFormulas.CentralQueue(4, 0.7), 0.015, "round-robin", Group(1, 4)),
        Mean("M/M/4", 0.9, QueueingFormulas.CentralQueue(4, 0.9), 0.05, "round-robin", Group(1, 4)),
        Mean("M/M/16", 0.9, QueueingFormulas.CentralQueue(16, 0.9), 0.03, "round-robin", Group(1, 16)),
        Mean("M/D/1", 0.7, QueueingFormulas.GeneralService(0.7, 0), 0.03, "round-robin", Group(1, 1), DurationKind.Constant),
        Mean("M/G/1 lognormal, fcfs", 0.5, QueueingFormulas.GeneralService(0.5, Math.E - 1), 0.06, "round-robin", Group(1, 1), DurationKind.Lognormal),
        Mean("M/G/1 lognormal, processor sharing", 0.7, QueueingFormulas.SingleServer(0.7), 0.05, "round-robin", Group(1, 1, Discipline.ProcessorSharing), DurationKind.Lognormal),
        Mean("random, n=16", 0.7, QueueingFormulas.SingleServer(0.7), 0.03, "random", Group(16, 1)),
        Mean("random, n=16", 0.9, QueueingFormulas.SingleServer(0.9), 0.08, "random", Group(16, 1)),
        Mean("round-robin, n=16 (E16/M/1)", 0.7, QueueingFormulas.RoundRobin(16, 0.7), 0.015, "round-robin", Group(16, 1)),
        Mean("round-robin, n=16 (E16/M/1)", 0.9, QueueingFormulas.RoundRobin(16, 0.9), 0.05, "round-robin", Group(16, 1)),
        Mean("power-of-two, n=500", 0.5, QueueingFormulas.Choices(2, 0.5), 0.015, "power-of-two", Group(500, 1)),
        Mean("power-of-two, n=500", 0.9, QueueingFormulas.Choices(2, 0.9), 0.02, "power-of-two", Group(500, 1)),
        Tail(0.9, 2, 0.015),
        Tail(0.9, 3, 0.02),
        Tail(0.9, 4, 0.05),
        Mean("shortest queue, n=100", 0.9, 1.065, 0.015, "least-outstanding", Group(100, 1)), // no formula: from a second simulator, in C
        Little("Little's law, antagonists and 8 balancers", "many-balancers"),
        Utilization("utilization = load, equal servers", 0.8),
    ];

    /// <summary>Whether a measurement is near enough.</summary>
    public bool Accepts(double measured) => Math.Abs(measured / Expected - 1) <= Tolerance;

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static ServerSpec Group(int count, int cores, Discipline discipline = Discipline.FirstComeFirstServed) =>
        new() { Count = count, Cores = cores, Discipline = discipline };

    private static TheoryCheck Mean(string name, double rho, double expected, double tolerance, string algorithm, ServerSpec servers, DurationKind service = DurationKind.Exponential) =>
        new($"{name}, rho={rho}: mean", expected, tolerance, () => Average(rho, algorithm, servers, service, run => run.Latency.Mean / Unit));

    private static TheoryCheck Quantile(string name, double rho, double quantile, double expected, double tolerance) =>
        new($"{name}, rho={rho}", expected, tolerance, () => Average(rho, "round-robin", Group(1, 1), DurationKind.Exponential, run => run.Latency.Quantile(quantile) / Unit));

    private static TheoryCheck Tail(double rho, int length, double tolerance) =>
        new($"power-of-two, n=500, rho={rho}: servers with {length} or more", QueueingFormulas.ChoicesTail(2, rho, length), tolerance,
            () => Average(rho, "power-of-two", Group(500, 1), DurationKind.Exponential, run => run.QueueAtLeast(length)));

    private static TheoryCheck Little(string name, string scenario) =>
        new(name, 1, 1e-9, () => Experiment.Run(Small(ReadyScenarios.Find(scenario)!), "least-outstanding", 1).LittleRatio);

    private static TheoryCheck Utilization(string name, double rho) =>
        new(name, rho, 0.015, () => Average(rho, "least-outstanding", Group(16, 4, Discipline.ProcessorSharing), DurationKind.Exponential, run => run.Servers.Average(server => server.Utilization)));

    private static Scenario Small(Scenario scenario)
    {
        scenario.Requests = Requests / 8;
        return scenario;
    }

    private static double Average(double rho, string algorithm, ServerSpec servers, DurationKind service, Func<RunResult, double> value) => Experiment.Run(new Scenario
    {
        Requests = Requests,
        Arrivals = new ArrivalSpec { Load = rho },
        Service = new DurationSpec { Kind = service, Mean = new SimTime(Unit) },
        Servers = [servers],
    }, [algorithm], Seeds).Algorithms[0].Runs.Average(value);
}
