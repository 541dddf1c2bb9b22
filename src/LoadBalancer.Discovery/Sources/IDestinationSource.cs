namespace LoadBalancer.Discovery.Sources;

/// <summary>Knows destinations of one cluster. Asked by one task, again and again.</summary>
internal interface IDestinationSource : IDisposable
{
    /// <summary>Kind and name, as logs and observers are told: "dns api.internal:8080".</summary>
    string Name { get; }

    /// <summary>
    /// Whether each look after a good one waits for news by itself: it is asked again after <see cref="SourceReading.ValidFor"/>, whatever the intervals. False: it looks and
    /// answers at once.
    /// </summary>
    bool IsWatched => false;

    /// <summary>Looks now. Throws only on cancellation.</summary>
    Task<SourceReading> ReadAsync(CancellationToken token);

    /// <summary>Gives back what it holds, after the last look.</summary>
    void IDisposable.Dispose()
    {
    }
}
