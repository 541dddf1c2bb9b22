namespace LoadBalancer.Simulation.Scenarios;

/// <summary>What the servers of a scenario can do, and what is asked of them.</summary>
internal static class Capacity
{
    /// <summary>Requests per second that all servers can answer together in the long run.</summary>
    internal static double Of(Scenario scenario)
    {
        double service = scenario.Trace?.MeanDuration ?? MeanServiceOf(scenario);
        return scenario.Servers.Sum(server => server.Count * server.Cores * SpeedOf(server)) * 1e9 / service;
    }

    /// <summary>Mean requests per second that arrive, at factor 1 of the profile.</summary>
    internal static double RateOf(Scenario scenario) =>
        scenario.Trace?.Rate ?? (scenario.Arrivals.Rate > 0 ? scenario.Arrivals.Rate : scenario.Arrivals.Load * Of(scenario));

    private static double MeanServiceOf(Scenario scenario) =>
        scenario.Classes.Count == 0 ? scenario.Service.Build().Mean
            : scenario.Classes.Sum(kind => kind.Share * kind.Service.Build().Mean) / scenario.Classes.Sum(kind => kind.Share);

    /// <summary>Mean speed of a core, with antagonist and pauses taken off.</summary>
    private static double SpeedOf(ServerSpec server)
    {
        double speed = server.Speed;
        if (server.Antagonist is { } antagonist)
        {
            double on = antagonist.On.Nanoseconds, off = antagonist.Off.Nanoseconds;
            speed *= (on / antagonist.Slowdown + off) / (on + off);
        }
        if (server.Pauses is { } pauses)
            speed *= pauses.Every.Nanoseconds / (pauses.Every.Nanoseconds + pauses.Length.Nanoseconds);
        return speed;
    }
}
