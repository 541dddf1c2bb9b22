using LoadBalancer.Simulation.Chance;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>
/// Scenarios drawn by chance, the same for the same number: fleets, loads, mixes of requests and disturbances that nobody chose to make an
/// algorithm look good, or to tune it.
/// </summary>
public static class RandomScenario
{
    /// <summary>Families, each with what all of its scenarios share.</summary>
    public static IReadOnlyList<(string Name, string Description)> Families { get; } =
    [
        ("random", "anything: 4 to 40 servers, 1 to 10 balancers, load 0.4 to 0.85"),
        ("random-classes", "the same with 2 to 16 classes of requests, the slowest 3 to 100 times as slow as the fastest"),
        ("random-fcfs", "the same with servers that queue, refusing what is beyond 1 to 4 requests for each core"),
    ];

    /// <summary>The scenario of that name, such as <c>random-fcfs:7</c>; null when it is not of this form.</summary>
    public static Scenario? Find(string name)
    {
        string[] parts = name.Split(':');
        return parts.Length == 2 && Families.Any(family => family.Name == parts[0]) && uint.TryParse(parts[1], out uint number) ? Draw(parts[0], number) : null;
    }

    /// <summary>Draws a scenario.</summary>
    /// <param name="family">A name from <see cref="Families"/>.</param>
    /// <param name="number">Which one.</param>
    public static Scenario Draw(string family, uint number)
    {
        var random = new SimRandom(number, ChanceStream.Scenario);
        int count = Pick(random, 4, 6, 10, 16, 24, 40);
        bool isQueueing = Pick(random, false, false, true) || family == "random-fcfs";
        var server = new ServerSpec { Cores = Pick(random, 1, 2, 4, 8, 16), Discipline = isQueueing ? Discipline.FirstComeFirstServed : Discipline.ProcessorSharing };
        int queue = server.Cores * Pick(random, 1, 2, 4);
        if (family == "random-fcfs") server.QueueMax = queue;
        bool isBursty = Pick(random, false, false, false, true);
        var scenario = new Scenario
        {
            Name = $"{family}:{number}",
            Balancers = Pick(random, 1, 1, 2, 4, 10),
            Arrivals = new ArrivalSpec { Load = Percents(random, 40, 85), Kind = isBursty ? ArrivalKind.Bursty : ArrivalKind.Poisson, Burst = new BurstSpec { Factor = 2 } },
            Service = Service(Pick(random, 0.5, 2, 8, 30), Pick(random, 0.3, 0.6, 1, 1.5)),
            Servers = Fleet(random, server, count),
        };
        int classes = Pick(random, 0, 2, 3, 5, 8, 16), spread = Pick(random, 3, 10, 30, 100);
        if (family == "random-classes") classes = Math.Max(2, classes);
        for (int i = 0; i < classes; i++)
        {
            double slower = PortableMath.Pow(spread, (double)i / (classes - 1));
            double share = Percents(random, 20, 100) / (Pick(random, false, true) ? slower : 1); // slow ones are often rare, but not always
            scenario.Classes.Add(new ClassSpec { Share = Math.Round(share, 4), Service = Service(scenario.Service.Mean.Nanoseconds / 1e6 * slower, scenario.Service.Sigma) });
        }
        scenario.Description = $"{count} {(isQueueing ? "queueing" : "sharing")} servers of {server.Cores} cores, {scenario.Balancers} balancers, {Math.Max(1, classes)} classes";
        return scenario;
    }

    private static List<ServerSpec> Fleet(SimRandom random, ServerSpec like, int count)
    {
        ServerSpec Group(int size, double speed = 1) =>
            new() { Count = size, Speed = speed, Cores = like.Cores, Discipline = like.Discipline, QueueMax = like.QueueMax };

        ServerSpec all = Group(count);
        switch (random.Next(6))
        {
            case 0: // two generations of machines
                return [Group(count / 2), Group(count - count / 2, Percents(random, 25, 80))];
            case 1: // three
                return [Group(count / 2), Group(count / 4, 0.7), Group(count - count / 2 - count / 4, 0.4)];
            case 2:
                all.Antagonist = new AntagonistSpec { Slowdown = Pick(random, 2, 3, 6), On = SimTime.Seconds(Pick(random, 1, 4)), Off = SimTime.Seconds(Pick(random, 5, 12)) };
                return [all];
            case 3:
                all.Pauses = new PauseSpec { Every = SimTime.Seconds(Pick(random, 2, 8)), Length = SimTime.Milliseconds(Pick(random, 100, 400)) };
                return [all];
            case 4: // one that is sick
                return [Group(count - 1), Group(1, 0.3)];
            default:
                return [all];
        }
    }

    private static DurationSpec Service(double milliseconds, double sigma) =>
        new() { Kind = DurationKind.Lognormal, Mean = SimTime.Milliseconds(Math.Round(milliseconds, 3)), Sigma = sigma };

    private static T Pick<T>(SimRandom random, params ReadOnlySpan<T> choices) => choices[random.Next(choices.Length)];

    private static double Percents(SimRandom random, int least, int most) => (least + random.Next(most - least + 1)) / 100.0;
}
