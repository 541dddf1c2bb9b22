using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Edge.Rehearsal;

/// <summary>What became of a request in a rehearsal.</summary>
internal sealed record RehearsedExchange
{
    internal required int Status { get; init; }

    internal required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }

    internal required byte[] Body { get; init; }

    /// <summary>What destinations were asked, in order; those that policies asked too.</summary>
    internal required IReadOnlyList<FakeRequest> Asked { get; init; }

    internal required RehearsedRecord Record { get; init; }

    /// <summary>The request that was forwarded; null for none. What policies ask comes before it.</summary>
    internal FakeRequest? Forwarded => Record.Destination is null ? null : Asked.LastOrDefault(asked => asked.Cluster == Record.Cluster);
}

/// <summary>What the completion record says.</summary>
internal sealed record RehearsedRecord(string? Route, string? Cluster, string? Destination, EndReason Reason, string? RefusedBy, string? Detail, string? Subject,
    IReadOnlyList<PolicyVerdict> Verdicts, CacheOutcome Cache);
