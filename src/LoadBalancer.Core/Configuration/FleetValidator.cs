using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Health;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks what a <see cref="ClusterConfig"/> says about the health and the load of its destinations.</summary>
internal static class FleetValidator
{
    private const int BodyLengthMax = 1024;

    internal static void Validate(string path, ClusterConfig cluster, ProblemList problems)
    {
        if (cluster.HealthCheck is { } check) HealthCheck($"{path}.healthCheck", check, problems);
        bool probes = cluster.Balance == ConfigRanges.ProbingPolicy;
        if (probes && cluster.Probe is null)
            problems.Add($"{path}.probe", $"{cluster.Balance} needs to know where destinations report their load; add \"probe\": \"{new LoadProbeConfig().Path}\"");
        else if (!probes && cluster.Probe is not null)
            problems.Add($"{path}.probe", $"has no effect with \"balance\": \"{cluster.Balance}\"; it is for {ConfigRanges.ProbingPolicy}");
        if (cluster.Probe is { } probe) Probe($"{path}.probe", probe, problems);
        Ejection($"{path}.ejection", cluster.Ejection, problems);
        problems.Range(path, "slowStart", cluster.SlowStart, ConfigRanges.SlowStart);
        problems.Range(path, "panicThresholdPercent", cluster.PanicThresholdPercent, ConfigRanges.Percent);
        problems.Range($"{path}.retryBudget", "percent", cluster.RetryBudget.Percent, ConfigRanges.Percent);
        problems.Range($"{path}.retryBudget", "perSecondMin", cluster.RetryBudget.PerSecondMin, ConfigRanges.RetriesPerSecondMin);
        if (cluster.Hedge is { } hedge) Hedge($"{path}.hedge", hedge, cluster, problems);
        if (cluster.Concurrency is { } concurrency) Concurrency($"{path}.concurrency", concurrency, problems);
        problems.Range($"{path}.queue", "requestsMax", cluster.Queue.RequestsMax, ConfigRanges.QueueRequestsMax);
        problems.Range($"{path}.queue", "timeout", cluster.Queue.Timeout, ConfigRanges.QueueTimeout);
        // With one destination that has no limit nobody ever waits.
        if (cluster.Queue.RequestsMax > 0 && cluster.Destinations.Values.Any(d => d.RequestsMax == 0))
            problems.Add($"{path}.queue.requestsMax", "has no effect unless every destination of the cluster has a \"requestsMax\"");
    }

    private static void Concurrency(string path, ConcurrencyConfig concurrency, ProblemList problems)
    {
        problems.Range(path, "min", concurrency.Min, ConfigRanges.ClusterConcurrency);
        problems.Range(path, "max", concurrency.Max, ConfigRanges.ClusterConcurrency);
        problems.Range(path, "initial", concurrency.Initial, ConfigRanges.ClusterConcurrencyInitial);
        problems.Range(path, "tolerancePercent", concurrency.TolerancePercent, ConfigRanges.ConcurrencyTolerancePercent);
        problems.Range(path, "window", concurrency.Window, ConfigRanges.ConcurrencyWindow);
        if (concurrency.Max < concurrency.Min) problems.Add($"{path}.max", $"{concurrency.Max} is less than \"min\", {concurrency.Min}");
        else if (concurrency.Initial > 0 && (concurrency.Initial < concurrency.Min || concurrency.Initial > concurrency.Max))
            problems.Add($"{path}.initial", $"{concurrency.Initial} is not from \"min\" to \"max\", {concurrency.Min} to {concurrency.Max}");
    }

    private static void Probe(string path, LoadProbeConfig probe, ProblemList problems)
    {
        Request(path, probe.Path, probe.Host, "/load", problems);
        problems.Range(path, "timeout", probe.Timeout, ConfigRanges.LoadProbeTimeout);
        problems.Range(path, "inFlightMax", probe.InFlightMax, ConfigRanges.LoadProbeInFlightMax);
    }

    private static void Request(string path, string requestPath, string? requestHost, string example, ProblemList problems)
    {
        if (requestPath.Length == 0 || requestPath[0] != '/' || requestPath.AsSpan().ContainsAnyExceptInRange('!', '~') || requestPath.Contains('#'))
            problems.Add($"{path}.path", $"{CharacterText.Quote(requestPath)} is no path; expected one such as \"{example}\" or \"{example}?full=1\"");
        if (requestHost is { } host && !HostName.IsValidAuthority(host))
            problems.Add($"{path}.host", $"{CharacterText.Quote(host)} is no host; expected a value such as \"example.com\"");
    }

    private static void HealthCheck(string path, HealthCheckConfig check, ProblemList problems)
    {
        Request(path, check.Path, check.Host, "/health", problems);
        if (check.Status.Count == 0) problems.Add($"{path}.status", "is empty: no destination would ever be healthy");
        for (int i = 0; i < check.Status.Count; i++)
            if (!StatusSet.TryParse(check.Status[i], out _, out _))
                problems.Add(ConfigPath.Item($"{path}.status", i), $"{CharacterText.Quote(check.Status[i])} is no status; expected \"200\" or \"200-399\", from 200 to 599");
        if (check.Body is { Length: 0 or > BodyLengthMax })
            problems.Add($"{path}.body", $"has {check.Body.Length} characters; expected 1 to {BodyLengthMax}");
        if (check.Kind == HealthCheckKind.Tcp && (check.Host is not null || check.Body is not null || check.Path != new HealthCheckConfig().Path))
            problems.Add($"{path}.kind", "\"tcp\" only connects; \"path\", \"host\" and \"body\" are for \"http\"");
        problems.Range(path, "interval", check.Interval, ConfigRanges.HealthCheckInterval);
        problems.Range(path, "timeout", check.Timeout, ConfigRanges.HealthCheckTimeout);
        problems.Range(path, "fall", check.Fall, ConfigRanges.FallAndRise);
        problems.Range(path, "rise", check.Rise, ConfigRanges.FallAndRise);
    }

    private static void Hedge(string path, HedgeConfig hedge, ClusterConfig cluster, ProblemList problems)
    {
        if (!HedgeDelay.TryParse(hedge.After, out HedgeDelay after))
            problems.Add($"{path}.after", $"{CharacterText.Quote(hedge.After)} is no delay; expected a duration such as \"50ms\", or a percentile from \"p50\" to \"p99\"");
        else if (after.Fixed >= cluster.ResponseHeadTimeout)
            problems.Add($"{path}.after", $"{hedge.After} is not less than \"responseHeadTimeout\", {DurationText.Format(cluster.ResponseHeadTimeout)}; nothing would ever be hedged");
        problems.Range(path, "percentMax", hedge.PercentMax, ConfigRanges.HedgePercentMax);
    }

    private static void Ejection(string path, EjectionConfig ejection, ProblemList problems)
    {
        problems.Range(path, "consecutiveFailures", ejection.ConsecutiveFailures, ConfigRanges.ConsecutiveFailures);
        problems.Range(path, "failurePercentMax", ejection.FailurePercentMax, ConfigRanges.Percent);
        problems.Range(path, "requestsMin", ejection.RequestsMin, ConfigRanges.EjectionRequestsMin);
        problems.Range(path, "window", ejection.Window, ConfigRanges.EjectionWindow);
        problems.Range(path, "duration", ejection.Duration, ConfigRanges.EjectionDuration);
        problems.Range(path, "durationMax", ejection.DurationMax, ConfigRanges.EjectionDuration);
        if (ejection.DurationMax < ejection.Duration)
            problems.Add($"{path}.durationMax", $"{DurationText.Format(ejection.DurationMax)} is less than \"duration\", {DurationText.Format(ejection.Duration)}");
        problems.Range(path, "ejectedPercentMax", ejection.EjectedPercentMax, ConfigRanges.Percent);
    }
}
