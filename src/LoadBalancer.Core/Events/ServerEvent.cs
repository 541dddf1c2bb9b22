namespace LoadBalancer.Core.Events;

/// <summary>Something that happened to a server which an operator cares for. Immutable.</summary>
/// <param name="Sequence">Its number: 1 for the first since the start, and one more for each.</param>
/// <param name="Time">When, in UTC.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Subject">What it happened to: "cluster/destination", a file, a list, addresses; empty for the server as a whole.</param>
/// <param name="Text">For people: what is so now, and why.</param>
/// <param name="Actor">Who asked for it; null where nobody did.</param>
public sealed record ServerEvent(long Sequence, DateTimeOffset Time, ServerEventKind Kind, string Subject, string Text, string? Actor);
