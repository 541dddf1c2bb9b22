using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Discovery.Sources;

/// <summary>What a source knows at present.</summary>
/// <param name="Destinations">All its destinations; null when it does not know, and the last good ones stay.</param>
/// <param name="ValidFor">When to look again; of no meaning without destinations.</param>
/// <param name="Problem">What is wrong; null when nothing is. May stand beside destinations that are known in part.</param>
internal sealed record SourceReading(IReadOnlyDictionary<string, DestinationConfig>? Destinations, TimeSpan ValidFor, string? Problem)
{
    /// <summary>Whether whoever was asked answered, so that a <see cref="Problem"/> is in what it holds, and asking again would not help. For sources that are watched.</summary>
    internal bool IsAnswered { get; init; }
}
