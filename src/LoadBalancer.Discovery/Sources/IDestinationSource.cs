namespace LoadBalancer.Discovery.Sources;

/// <summary>Knows destinations of one cluster. Asked by one task, again and again.</summary>
internal interface IDestinationSource
{
    /// <summary>Kind and name, as logs and observers are told: "dns api.internal:8080".</summary>
    string Name { get; }

    /// <summary>Looks now. Throws only on cancellation.</summary>
    Task<SourceReading> ReadAsync(CancellationToken token);
}
