namespace LoadBalancer.Core.Events;

/// <summary>The last changes of one destination's status. Thread-safe.</summary>
internal sealed class StatusHistory
{
    internal const int Capacity = 8;

    private readonly Queue<StatusChange> _changes = new();

    internal void Add(StatusChange change)
    {
        lock (_changes)
        {
            if (_changes.Count == Capacity) _changes.Dequeue();
            _changes.Enqueue(change);
        }
    }

    /// <summary>Oldest first.</summary>
    internal IReadOnlyList<StatusChange> List()
    {
        lock (_changes) return [.. _changes];
    }
}

/// <summary>A change of a destination's status.</summary>
/// <param name="Time">When, in UTC.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Text">Why, for people.</param>
/// <param name="Actor">Who asked for it; null where nobody did.</param>
public sealed record StatusChange(DateTimeOffset Time, ServerEventKind Kind, string Text, string? Actor);
