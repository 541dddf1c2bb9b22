using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of the parts of <see cref="ClusterConfig"/> about the health and the load of its destinations.</summary>
internal static class FleetSpecs
{
    internal static readonly ObjectSpec<HealthCheckConfig> HealthCheck = new(
        "healthCheck", "Probes of every destination, on connections of their own. A plain string is the \"path\" of an HTTP check.", () => new HealthCheckConfig(),
        new FieldSpec<HealthCheckConfig, HealthCheckKind>("kind", "\"http\": GET \"path\"; \"tcp\": connect only.",
            new ChoiceSpec<HealthCheckKind>(("http", HealthCheckKind.Http), ("tcp", HealthCheckKind.Tcp)), c => c.Kind, (c, v) => c with { Kind = v }) { OtherNames = ["type", "protocol"] },
        new FieldSpec<HealthCheckConfig, string>("path", "Path, and query if any, of the request.",
            new TextSpec(pattern: "^/[!-\"$-~]*$", examples: ["/health"]), c => c.Path, (c, v) => c with { Path = v }) { Secrecy = Secrecy.Credentials, OtherNames = ["uri", "url"] },
        new FieldSpec<HealthCheckConfig, string?>("host", "Host field of the request. Left out: the cluster's fixed \"host\", else the destination's address.",
            new TextSpec(examples: ["example.com"])!, c => c.Host, (c, v) => c with { Host = v }),
        new FieldSpec<HealthCheckConfig, IReadOnlyList<string>>("status", "Statuses of a healthy destination.",
            new TextListSpec(new TextSpec(pattern: "^[2-5][0-9]{2}(-[2-5][0-9]{2})?$", examples: ["200", "200-399"])), c => c.Status, (c, v) => c with { Status = v }) { OtherNames = ["expectedStatus", "statuses", "expect"] },
        new FieldSpec<HealthCheckConfig, string?>("body", "Text that must stand in the first 64 KiB of the body. Left out: the body is not read.",
            new TextSpec()!, c => c.Body, (c, v) => c with { Body = v }) { OtherNames = ["match", "contains"] },
        new FieldSpec<HealthCheckConfig, TimeSpan>("interval", "From the end of a probe to the next, jittered by 20 %.",
            new DurationSpec(ConfigRanges.HealthCheckInterval), c => c.Interval, (c, v) => c with { Interval = v }) { OtherNames = ["inter"] },
        new FieldSpec<HealthCheckConfig, TimeSpan>("timeout", "Time for a whole probe.",
            new DurationSpec(ConfigRanges.HealthCheckTimeout), c => c.Timeout, (c, v) => c with { Timeout = v }),
        new FieldSpec<HealthCheckConfig, int>("fall", "Failed probes in a row that take a destination out; of the first probe one is enough.",
            new CountSpec(ConfigRanges.FallAndRise), c => c.Fall, (c, v) => c with { Fall = v }) { OtherNames = ["fails", "unhealthyThreshold"] },
        new FieldSpec<HealthCheckConfig, int>("rise", "Good probes in a row that bring it back; of the first probe one is enough.",
            new CountSpec(ConfigRanges.FallAndRise), c => c.Rise, (c, v) => c with { Rise = v }) { OtherNames = ["passes", "healthyThreshold"] },
        new FieldSpec<HealthCheckConfig, bool>("waitForFirstProbe", "Whether a destination gets traffic only after its first good probe.",
            new FlagSpec(), c => c.WaitForFirstProbe, (c, v) => c with { WaitForFirstProbe = v }))
    {
        FromText = text => new HealthCheckConfig { Path = text },
    };

    internal static readonly ObjectSpec<LoadProbeConfig> LoadProbe = new(
        "probe", "GET requests beside the others, that ask destinations for their load. A plain string is the \"path\".", () => new LoadProbeConfig(),
        new FieldSpec<LoadProbeConfig, string>("path", "Path, and query if any, of the request.",
            new TextSpec(pattern: "^/[!-\"$-~]*$", examples: ["/load"]), c => c.Path, (c, v) => c with { Path = v }) { Secrecy = Secrecy.Credentials, OtherNames = ["uri", "url"] },
        new FieldSpec<LoadProbeConfig, string?>("host", "Host field of the request. Left out: the cluster's fixed \"host\", else the destination's address.",
            new TextSpec(examples: ["example.com"])!, c => c.Host, (c, v) => c with { Host = v }),
        new FieldSpec<LoadProbeConfig, TimeSpan>("timeout", "Time for a whole probe.",
            new DurationSpec(ConfigRanges.LoadProbeTimeout), c => c.Timeout, (c, v) => c with { Timeout = v }),
        new FieldSpec<LoadProbeConfig, int>("inFlightMax", "Most probes under way at once on each loop; with so many, further ones are left out.",
            new CountSpec(ConfigRanges.LoadProbeInFlightMax), c => c.InFlightMax, (c, v) => c with { InFlightMax = v }))
    {
        FromText = text => new LoadProbeConfig { Path = text },
    };

    internal static readonly ObjectSpec<EjectionConfig> Ejection = new(
        "ejection", "Outlier ejection: destinations that fail requests (5xx, no or broken connections, malformed answers, time-outs) are taken out for a time.", () => new EjectionConfig(),
        new FieldSpec<EjectionConfig, bool>("enabled", "Whether it is on.",
            new FlagSpec(), c => c.Enabled, (c, v) => c with { Enabled = v }),
        new FieldSpec<EjectionConfig, int>("consecutiveFailures", "Failures in a row that eject. 0 for never.",
            new CountSpec(ConfigRanges.ConsecutiveFailures), c => c.ConsecutiveFailures, (c, v) => c with { ConsecutiveFailures = v }) { OtherNames = ["consecutive5xx", "maxFails"] },
        new FieldSpec<EjectionConfig, int>("failurePercentMax", "Ejects when more than this part, in percent, of a window's requests fail. 100 for never.",
            new CountSpec(ConfigRanges.Percent), c => c.FailurePercentMax, (c, v) => c with { FailurePercentMax = v }),
        new FieldSpec<EjectionConfig, int>("requestsMin", "Fewest requests in a window for that to be judged.",
            new CountSpec(ConfigRanges.EjectionRequestsMin), c => c.RequestsMin, (c, v) => c with { RequestsMin = v }),
        new FieldSpec<EjectionConfig, TimeSpan>("window", "Length of a window.",
            new DurationSpec(ConfigRanges.EjectionWindow), c => c.Window, (c, v) => c with { Window = v }),
        new FieldSpec<EjectionConfig, TimeSpan>("duration", "How long the first ejection lasts; the n-th in a row n times as long.",
            new DurationSpec(ConfigRanges.EjectionDuration), c => c.Duration, (c, v) => c with { Duration = v }) { OtherNames = ["failTimeout", "baseEjectionTime"] },
        new FieldSpec<EjectionConfig, TimeSpan>("durationMax", "Bound of that.",
            new DurationSpec(ConfigRanges.EjectionDuration), c => c.DurationMax, (c, v) => c with { DurationMax = v }),
        new FieldSpec<EjectionConfig, int>("ejectedPercentMax", "Most destinations of the cluster, in percent, ejected at once; the last usable one never is.",
            new CountSpec(ConfigRanges.Percent), c => c.EjectedPercentMax, (c, v) => c with { EjectedPercentMax = v }) { OtherNames = ["maxEjectionPercent"] },
        new FieldSpec<EjectionConfig, bool>("endOnGoodProbes", "Whether as many good probes in a row as the health check's \"rise\" end an ejection before its time.",
            new FlagSpec(), c => c.EndOnGoodProbes, (c, v) => c with { EndOnGoodProbes = v }) { OtherNames = ["successfulActiveHealthCheckUnejectHost"] });

    internal static readonly ObjectSpec<QueueConfig> Queue = new(
        "queue", "Requests that wait while every destination has its \"requestsMax\".", () => new QueueConfig(),
        new FieldSpec<QueueConfig, int>("requestsMax", "Most requests that wait, over all loops; those beyond get 503. 0: none waits.",
            new CountSpec(ConfigRanges.QueueRequestsMax), c => c.RequestsMax, (c, v) => c with { RequestsMax = v }) { OtherNames = ["max", "length", "size"] },
        new FieldSpec<QueueConfig, TimeSpan>("timeout", "How long one waits; then 503.",
            new DurationSpec(ConfigRanges.QueueTimeout), c => c.Timeout, (c, v) => c with { Timeout = v }));

    internal static readonly ObjectSpec<HedgeConfig> Hedge = new(
        "hedge", "Hedged requests: GET, HEAD and OPTIONS without a body go to a second destination when the first is silent; the first to answer serves the client.", () => new HedgeConfig(),
        new FieldSpec<HedgeConfig, string>("after",
            "How long the first may be silent: a duration, or a percentile (\"p50\" to \"p99\") of the times to the first byte that the cluster has shown lately.",
            new TextSpec(pattern: "^(p[5-9][0-9]|[0-9]+(ms|s|m|h|d))$", examples: HedgeDelay.Examples), c => c.After, (c, v) => c with { After = v }) { OtherNames = ["delay"] },
        new FieldSpec<HedgeConfig, int>("percentMax", "Most hedges for a hundred requests of the cluster.",
            new CountSpec(ConfigRanges.HedgePercentMax), c => c.PercentMax, (c, v) => c with { PercentMax = v }) { OtherNames = ["percent", "budgetPercent"] })
    {
        FromText = text => new HedgeConfig { After = text },
    };

    internal static readonly ObjectSpec<RetryBudgetConfig> RetryBudget = new(
        "retryBudget", "Bound of all retries of a cluster; a failure beyond it is answered. Quiet times are saved for up to 10 s.", () => new RetryBudgetConfig(),
        new FieldSpec<RetryBudgetConfig, int>("percent", "Retries for a hundred requests.",
            new CountSpec(ConfigRanges.Percent), c => c.Percent, (c, v) => c with { Percent = v }) { OtherNames = ["budgetPercent"] },
        new FieldSpec<RetryBudgetConfig, int>("perSecondMin", "Retries granted each second whatever the requests.",
            new CountSpec(ConfigRanges.RetriesPerSecondMin), c => c.PerSecondMin, (c, v) => c with { PerSecondMin = v }) { OtherNames = ["min", "minPerSecond"] });
}
