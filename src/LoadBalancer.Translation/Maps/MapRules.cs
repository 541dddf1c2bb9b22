namespace LoadBalancer.Translation.Maps;

/// <summary>A whole map as it was written.</summary>
internal sealed record MapRules
{
    internal required IReadOnlyList<OperationRules> Operations { get; init; }

    internal required IReadOnlyDictionary<string, TypeRules> Types { get; init; }

    internal required IReadOnlyList<MapProblem> Losses { get; init; }

    internal bool RefusesUnmatched { get; init; }

    internal bool PassesUnconvertible { get; init; }
}
