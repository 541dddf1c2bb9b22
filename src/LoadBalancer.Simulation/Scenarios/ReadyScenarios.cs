namespace LoadBalancer.Simulation.Scenarios;

/// <summary>Scenarios to start from: mostly lognormal services of 10 ms on average on servers of 4 cores, and one thing that goes wrong.</summary>
public static class ReadyScenarios
{
    private static readonly (string Name, string Description, Func<Scenario> Make)[] s_all =
    [
        ("uniform", "16 equal servers at load 0.8: nothing goes wrong",
            () => Base(0.8, new ServerSpec { Count = 16 })),
        ("heterogeneous", "8 servers at full speed, 8 at a third of it, load 0.75; the balancer is not told",
            () => Base(0.75, new ServerSpec { Count = 8 }, new ServerSpec { Count = 8, Speed = 1.0 / 3 })),
        ("antagonist", "20 servers, each 4 times slower for 2 s of every 8 s on average, load 0.75",
            () => Base(0.75, new ServerSpec { Count = 20, Antagonist = new AntagonistSpec() })),
        ("slow-start", "4 servers join 12 after a third of the run, at a tenth of their speed at first and in full 10 s later, load 0.55 of all",
            () => Base(0.55, new ServerSpec { Count = 12 }, new ServerSpec { Count = 4, JoinAt = SimTime.Percent(33), ColdStart = new ColdStartSpec { From = 0.1 } })),
        ("black-hole", "one of 16 servers answers with errors within 1 ms for the middle third of the run, load 0.6",
            () => Base(0.6, new ServerSpec { Count = 15 }, new ServerSpec { BlackHole = new OutageSpec { At = SimTime.Percent(33), Until = SimTime.Percent(67) } })),
        ("mixed-fleet", "8 servers: one at a third of the speed, one standing still for 300 ms every second, one answering with errors within 1 ms in the second half, load 0.5",
            () => Base(0.5, new ServerSpec { Count = 5 }, new ServerSpec { Speed = 1.0 / 3 },
                new ServerSpec { Pauses = new PauseSpec { Every = SimTime.Seconds(1), Length = SimTime.Milliseconds(300) } },
                new ServerSpec { BlackHole = new OutageSpec { At = SimTime.Percent(50) } })),
        ("gc-pauses", "16 servers, each standing still for 200 ms every 4 s on average, load 0.7",
            () => Base(0.7, new ServerSpec { Count = 16, Pauses = new PauseSpec() })),
        ("many-balancers", "the antagonists' 20 servers behind 8 balancers that know nothing of each other, load 0.75",
            () =>
            {
                Scenario scenario = Base(0.75, new ServerSpec { Count = 20, Antagonist = new AntagonistSpec() });
                scenario.Balancers = 8;
                return scenario;
            }),
        ("flash-crowd", "the load on 16 servers, 4 of them half as fast, doubles from 0.45 to 0.9 within a hundredth of the run, and stays for a fifth of it",
            () =>
            {
                Scenario scenario = Base(0.45, new ServerSpec { Count = 12 }, new ServerSpec { Count = 4, Speed = 0.5 });
                scenario.Arrivals.Profile =
                [
                    new RatePoint { At = SimTime.Percent(40), Factor = 1 }, new RatePoint { At = SimTime.Percent(41), Factor = 2 },
                    new RatePoint { At = SimTime.Percent(61), Factor = 2 }, new RatePoint { At = SimTime.Percent(62), Factor = 1 },
                ];
                return scenario;
            }),
        ("shared-machines", "100 balancers before 100 servers that share machines, each 2.5 times slower for 1 s of every 4 s on average; load 0.7 is 1.5 times what they are sure to get",
            () => new Scenario
            {
                // The set-up of Prequal's paper in our terms. A server is sure of the speed that its antagonists leave it, 0.4; on average it
                // gets 0.85. So a load of 0.47 is 1.0 of the allocation, and 0.82 is the 1.74 at which the paper's ramp ends.
                Balancers = 100,
                Timeout = SimTime.Seconds(5),
                NetworkDelay = new DurationSpec { Kind = DurationKind.Constant, Mean = SimTime.Milliseconds(0.1) },
                Arrivals = new ArrivalSpec { Load = 0.7 },
                Service = new DurationSpec { Kind = DurationKind.Lognormal, Mean = SimTime.Milliseconds(40), Sigma = 0.75 },
                Servers = [new ServerSpec { Count = 100, Antagonist = new AntagonistSpec { Slowdown = 2.5, On = SimTime.Seconds(1), Off = SimTime.Seconds(3) } }],
            }),
    ];

    /// <summary>All names, each with what the scenario shows.</summary>
    public static IReadOnlyList<(string Name, string Description)> All { get; } = [.. s_all.Select(scenario => (scenario.Name, scenario.Description))];

    /// <summary>The scenario of that name, new each time, also of those of <see cref="RandomScenario"/>; null when there is none.</summary>
    public static Scenario? Find(string name)
    {
        if (RandomScenario.Find(name) is { } drawn) return drawn;
        foreach ((string known, string description, Func<Scenario> make) in s_all)
        {
            if (known != name) continue;
            Scenario scenario = make();
            (scenario.Name, scenario.Description) = (known, description);
            return scenario;
        }
        return null;
    }

    private static Scenario Base(double load, params ServerSpec[] servers) => new()
    {
        Arrivals = new ArrivalSpec { Load = load },
        Service = new DurationSpec { Kind = DurationKind.Lognormal, Mean = SimTime.Milliseconds(10), Sigma = 1 },
        Servers = [.. servers],
    };
}
