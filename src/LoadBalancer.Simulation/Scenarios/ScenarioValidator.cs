using System.Numerics;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>Finds what is wrong with a scenario beyond its form.</summary>
public static class ScenarioValidator
{
    private const int ServersMax = 1000, TierMax = 15;
    private const double ServiceMin = 1e3, ServiceMax = 3600e9; // 1 us to an hour: below, the clock's nanoseconds would show

    /// <summary>Every fault, with the key it is about; none when the scenario can be run.</summary>
    public static IReadOnlyList<string> Validate(Scenario scenario)
    {
        var faults = new List<string>();
        void Range<T>(string key, T value, T min, T max) where T : INumber<T>
        {
            if (!(value >= min && value <= max)) faults.Add($"{key}: {value} is out of range; expected {min} to {max}");
        }
        void Positive(string key, SimTime time)
        {
            if (time.Nanoseconds <= 0) faults.Add($"{key}: expected a time above 0{(time.IsShare ? ", not a part of the run" : "")}");
        }
        void Duration(string key, DurationSpec spec, bool isService)
        {
            switch (spec.Kind)
            {
                case DurationKind.Lognormal:
                    Positive($"{key}.mean", spec.Mean);
                    Range($"{key}.sigma", spec.Sigma, 0, 4);
                    break;
                case DurationKind.BoundedPareto:
                    Positive($"{key}.min", spec.Min);
                    Range($"{key}.alpha", spec.Alpha, 0.1, 10);
                    if (spec.Max.Nanoseconds <= spec.Min.Nanoseconds) faults.Add($"{key}.max: expected more than \"min\"");
                    break;
                case DurationKind.Bimodal:
                    Positive($"{key}.common", spec.Common);
                    Positive($"{key}.rare", spec.Rare);
                    Range($"{key}.rareShare", spec.RareShare, 0, 1);
                    break;
                case DurationKind.Empirical:
                    if (spec.Values.Count == 0) faults.Add($"{key}.values: expected at least one");
                    foreach (SimTime value in spec.Values) Positive($"{key}.values", value);
                    break;
                default:
                    Positive($"{key}.mean", spec.Mean);
                    break;
            }
            if (isService && faults.Count == 0 && spec.Build().Mean is < ServiceMin or > ServiceMax)
                faults.Add($"{key}: the mean is out of range; expected 1us to 1h");
        }
        void Outage(string key, OutageSpec? spec)
        {
            if (spec?.Until is { } until && until.IsShare == spec.At.IsShare && (until.Share < spec.At.Share || until.Nanoseconds < spec.At.Nanoseconds))
                faults.Add($"{key}.until: is before \"at\"");
        }

        Range("requests", scenario.Requests, scenario.Trace is null ? 1000 : Replay.AccessLog.RequestsMin, 100_000_000);
        Range("warmUp", scenario.WarmUp, 0, 0.9);
        Range("balancers", scenario.Balancers, 1, 1000);
        Range("retries", scenario.Retries, 0, 10);
        if (scenario.RetryBudget is { } budget) Range("retryBudget", budget, 0, 1);
        Range("keys", scenario.Keys, 1, int.MaxValue);
        Duration("service", scenario.Service, isService: true);
        if (scenario.Classes.Count > Scenario.ClassesMax) faults.Add($"classes: expected at most {Scenario.ClassesMax}");
        if (scenario.Classes.Count > 0 && scenario.Trace is not null) faults.Add("classes: a log that is replayed has no classes");
        for (int i = 0; i < scenario.Classes.Count; i++)
        {
            Range($"classes[{i}].share", scenario.Classes[i].Share, 1e-6, 1000);
            Duration($"classes[{i}].service", scenario.Classes[i].Service, isService: true);
        }
        if (scenario.NetworkDelay is { } delay) Duration("networkDelay", delay, isService: false);

        ArrivalSpec arrivals = scenario.Arrivals;
        if (arrivals.Rate != 0) Range("arrivals.rate", arrivals.Rate, 1e-3, 1e8);
        else Range("arrivals.load", arrivals.Load, 0.001, 10);
        if (arrivals.Kind == ArrivalKind.Bursty)
        {
            Range("arrivals.burst.factor", arrivals.Burst.Factor, 1, 1000);
            Positive("arrivals.burst.on", arrivals.Burst.On);
            Positive("arrivals.burst.off", arrivals.Burst.Off);
        }
        if (arrivals.Profile.Count > 0 && arrivals.Kind != ArrivalKind.Poisson) faults.Add("arrivals.profile: needs \"kind\": \"poisson\"");
        foreach (RatePoint point in arrivals.Profile) Range("arrivals.profile.factor", point.Factor, 0, 100);
        if (arrivals.Profile.Count > 0 && arrivals.Profile[^1].Factor <= 0) faults.Add("arrivals.profile: the last factor stays; expected more than 0");

        if (scenario.Servers.Count == 0) faults.Add("servers: expected at least one");
        for (int i = 0; i < scenario.Servers.Count; i++)
        {
            ServerSpec server = scenario.Servers[i];
            string key = $"servers[{i}]";
            Range($"{key}.count", server.Count, 1, ServersMax);
            Range($"{key}.cores", server.Cores, 1, 1000);
            Range($"{key}.queueMax", server.QueueMax, 0, int.MaxValue);
            Range($"{key}.speed", server.Speed, 1e-3, 1000);
            Range($"{key}.weight", server.Weight, 1, Balancing.DestinationSpec.WeightMax);
            Range($"{key}.tier", server.Tier, 0, TierMax);
            if (server.Antagonist is { } antagonist)
            {
                Range($"{key}.antagonist.slowdown", antagonist.Slowdown, 1, 1000);
                Positive($"{key}.antagonist.on", antagonist.On);
                Positive($"{key}.antagonist.off", antagonist.Off);
            }
            if (server.Pauses is { } pauses)
            {
                Positive($"{key}.pauses.every", pauses.Every);
                Positive($"{key}.pauses.length", pauses.Length);
            }
            if (server.ColdStart is { } cold) Range($"{key}.coldStart.from", cold.From, 0.001, 1);
            Outage($"{key}.crash", server.Crash);
            Outage($"{key}.blackHole", server.BlackHole);
            foreach (SpeedPoint point in server.SpeedChanges) Range($"{key}.speedChanges.factor", point.Factor, 0, 1000);
        }
        if (scenario.Servers.Sum(server => (long)server.Count) > ServersMax) faults.Add($"servers: expected at most {ServersMax} in all");
        if (scenario.Servers.Count > 0 && scenario.Servers.TrueForAll(server => server.JoinAt is not null)) faults.Add("servers: expected one that is there from the start, without \"joinAt\"");
        return faults;
    }

    /// <exception cref="ArgumentException">There are faults.</exception>
    internal static void Check(Scenario scenario)
    {
        IReadOnlyList<string> faults = Validate(scenario);
        if (faults.Count > 0) throw new ArgumentException($"scenario '{scenario.Name}': {string.Join("; ", faults)}", nameof(scenario));
    }
}
