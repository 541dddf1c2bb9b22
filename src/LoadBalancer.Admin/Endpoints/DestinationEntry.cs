using LoadBalancer.Balancing;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary>
/// A destination as it is shown: whether new requests may go to it, else the reasons why not; of a registered one the lease that it asked for, and when it
/// goes unless it is renewed.
/// </summary>
internal sealed record DestinationEntry(string Name, string Address, string Source, int Weight, int Tier, string? Zone, int RequestsMax,
    int Outstanding, bool Usable, IReadOnlyList<string> Reasons, string? Lease, DateTimeOffset? ExpiresAt)
{
    private static readonly (DestinationStatus Status, string Name)[] Names =
        [(DestinationStatus.Draining, "draining"), (DestinationStatus.Unhealthy, "unhealthy"), (DestinationStatus.Ejected, "ejected")];

    internal static DestinationEntry Of(DestinationView view, string? lease, DateTimeOffset? expiresAt) => new(
        view.Name, view.Config.Address, view.Source, view.Config.Weight, view.Config.Tier, view.Config.Zone, view.Config.RequestsMax, view.Outstanding,
        view.Status == DestinationStatus.Eligible, [.. Names.Where(n => view.Status.HasFlag(n.Status)).Select(n => n.Name)], lease, expiresAt);
}

internal sealed record DestinationList(string Cluster, IReadOnlyList<DestinationEntry> Destinations);
