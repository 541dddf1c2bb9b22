using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Tests;

/// <summary>Small scenarios for tests.</summary>
internal static class Make
{
    internal static Scenario Ready(string name, int requests = 20_000)
    {
        Scenario scenario = ReadyScenarios.Find(name)!;
        scenario.Requests = requests;
        return scenario;
    }

    internal static Scenario Scenario(params ServerSpec[] servers) => new()
    {
        Requests = 20_000,
        Arrivals = new ArrivalSpec { Load = 0.5 },
        Servers = [.. servers],
    };
}
