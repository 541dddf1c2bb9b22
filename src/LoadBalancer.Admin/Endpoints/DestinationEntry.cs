using LoadBalancer.Balancing;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary>
/// A destination as it is shown: whether new requests may go to it, else the reasons why not; of a registered one the lease that it asked for, and when it
/// goes unless it is renewed. What balancing knows of it: <see cref="DestinationScore"/>. The last changes of its status, oldest first.
/// </summary>
internal sealed record DestinationEntry(string Name, string Address, string Source, int Weight, int Tier, string? Zone, int RequestsMax,
    int Outstanding, bool Usable, IReadOnlyList<string> Reasons, string? Lease, DateTimeOffset? ExpiresAt,
    bool Picked, int Connections, double? Score, double? LatencyMilliseconds, double? FailureShare, int FailuresInARow, double? EjectedForSeconds, IReadOnlyList<ChangeEntry>? History)
{
    private static readonly (DestinationStatus Status, string Name)[] Names =
        [(DestinationStatus.Draining, "draining"), (DestinationStatus.Unhealthy, "unhealthy"), (DestinationStatus.Ejected, "ejected")];

    internal static IReadOnlyList<string> ReasonsOf(DestinationStatus status) => [.. Names.Where(n => status.HasFlag(n.Status)).Select(n => n.Name)];

    internal static double? MillisecondsOf(in DestinationScore score) => score.LatencySeconds is { } seconds ? Math.Round(seconds * 1000, 3) : null;

    internal static DestinationEntry Of(DestinationView view, string? lease, DateTimeOffset? expiresAt, bool withHistory = true) => new(
        view.Name, view.Config.Address, view.Source, view.Config.Weight, view.Config.Tier, view.Config.Zone, view.Config.RequestsMax, view.Outstanding,
        view.Status == DestinationStatus.Eligible, ReasonsOf(view.Status), lease, expiresAt,
        view.IsPicked, view.Connections, view.Score.Score is { } score ? Math.Round(score, 4) : null, MillisecondsOf(view.Score), view.Score.FailureShare is { } share ? Math.Round(share, 4) : null,
        view.Failures.InARow, view.EjectionLeft is { } left ? Math.Round(left.TotalSeconds, 1) : null, withHistory ? [.. view.History.Select(ChangeEntry.Of)] : null);
}

internal sealed record DestinationList(string Cluster, IReadOnlyList<DestinationEntry> Destinations);
