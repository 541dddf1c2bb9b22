namespace LoadBalancer.Core.Configuration;

/// <summary>Traces of requests by OpenTelemetry: where they are sent, and how many.</summary>
public sealed record TracingConfig
{
    /// <summary>Where the collector takes OTLP by HTTP: "http://127.0.0.1:4318/v1/traces". The path stands for itself: none is added.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Share of the requests that bring no trace of their own which are traced, 0 to 1; for others their trace's own flag decides. Default 1.</summary>
    public double SampleRatio { get; init; } = 1;

    /// <summary>What the balancer is called in traces (service.name). Default "lb".</summary>
    public string ServiceName { get; init; } = "lb";

    /// <summary>Fields sent with each export, such as a key of the collector's.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;
}
