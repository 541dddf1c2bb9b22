using System.Text.Json;
using LoadBalancer.Core.Events;

namespace LoadBalancer.Admin.Endpoints;

/// <summary>An event as it is shown; <see cref="ServerEvent"/> says what the fields mean.</summary>
internal sealed record EventEntry(long Sequence, DateTimeOffset Time, string Kind, string Subject, string Text, string? Actor)
{
    private static readonly string[] Names = [.. Enum.GetNames<ServerEventKind>().Select(JsonNamingPolicy.CamelCase.ConvertName)];

    internal static string NameOf(ServerEventKind kind) => Names[(int)kind]; // the values are consecutive

    internal static EventEntry Of(ServerEvent one) => new(one.Sequence, one.Time, NameOf(one.Kind), one.Subject, one.Text, one.Actor);
}

/// <summary>Events, oldest first.</summary>
/// <param name="Last">Number of the newest event there is.</param>
/// <param name="Missed">How many between those that were asked for are forgotten.</param>
/// <param name="Events">The events.</param>
internal sealed record EventList(long Last, long Missed, IReadOnlyList<EventEntry> Events);

/// <summary>A change of a destination's status as it is shown.</summary>
internal sealed record ChangeEntry(DateTimeOffset Time, string Kind, string Text, string? Actor)
{
    internal static ChangeEntry Of(StatusChange change) => new(change.Time, EventEntry.NameOf(change.Kind), change.Text, change.Actor);
}
