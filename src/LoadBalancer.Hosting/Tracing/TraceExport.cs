using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tracing;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LoadBalancer.Hosting.Tracing;

/// <summary>
/// Listens to the balancer's spans and sends them in batches, beside the loops: what there is no room for is dropped, and a collector that is away delays no request. Made before the server, and disposed of after
/// it, which sends what is left.
/// </summary>
internal sealed class TraceExport : IDisposable
{
    private static readonly TimeSpan ExportTimeout = TimeSpan.FromSeconds(5);
    private readonly TracerProvider _provider;

    internal TraceExport(TracingConfig config)
    {
        _provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(RequestTrace.SourceName)
            // W3C Trace Context §3.2.2.3: the flag of whoever sent the trace decides; only where there is none, chance does.
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(config.SampleRatio)))
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService(config.ServiceName))
            .AddOtlpExporter(options =>
            {
                options.Endpoint = new Uri(config.Endpoint);
                options.Protocol = OtlpExportProtocol.HttpProtobuf;
                options.TimeoutMilliseconds = (int)ExportTimeout.TotalMilliseconds;
                options.Headers = string.Join(',', config.Headers.Select(header => $"{header.Key}={Uri.EscapeDataString(header.Value)}"));
            })
            .Build();
    }

    public void Dispose()
    {
        _provider.Shutdown((int)ExportTimeout.TotalMilliseconds);
        _provider.Dispose();
    }
}
