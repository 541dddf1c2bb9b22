using System.Text.Json;
using System.Text.Json.Serialization;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Addresses;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>What operators and servers have told the process before, and no configuration has.</summary>
internal sealed record HandoverState(IReadOnlyList<HandoverState.Draining> Drained, IReadOnlyList<HandoverState.Registered> Registrations, IReadOnlyList<HandoverState.Banned> Bans)
{
    internal sealed record Draining(string Cluster, string Destination);

    internal sealed record Registered(string Cluster, string Id, string Address, int Weight, int RequestsMax, int Tier, string? Zone, TimeSpan Lease);

    internal sealed record Banned(string Block, DateTimeOffset? Until, string Reason);

    internal static HandoverState Empty { get; } = new([], [], []);

    internal static HandoverState Of(ProxyServer server, AdminServer admin) => new(
        [.. server.Drained.Select(one => new Draining(one.Cluster, one.Destination))],
        [.. admin.Registry.All.Select(one => new Registered(one.Cluster, one.Id, one.Destination.Address, one.Destination.Weight, one.Destination.RequestsMax, one.Destination.Tier, one.Destination.Zone, one.Lease))],
        [.. server.Bans.Select(ban => new Banned(AddressBlockText.Format(ban.Block), ban.Until, ban.Reason))]);

    /// <summary>Applies it, as far as this process's configuration has what it is about: also what was taken back since <paramref name="before"/> was applied.</summary>
    internal async Task ApplyAsync(HandoverState before, ProxyServer server, AdminServer admin)
    {
        foreach (Registered one in before.Registrations.ExceptBy(Registrations.Select(kept => (kept.Cluster, kept.Id)), one => (one.Cluster, one.Id))) await admin.Registry.RemoveAsync(one.Cluster, one.Id);
        foreach (Draining one in before.Drained.Except(Drained))
            if (server.Config.Clusters.ContainsKey(one.Cluster)) server.TakeOverDraining(one.Cluster, one.Destination, draining: false);
        foreach (Banned one in before.Bans.ExceptBy(Bans.Select(kept => kept.Block), one => one.Block)) server.Unban(one.Block);
        foreach (Registered one in Registrations)
            if (server.Config.Clusters.GetValueOrDefault(one.Cluster) is { Registration: true })
                admin.Registry.Put(one.Cluster, one.Id, new DestinationConfig { Address = one.Address, Weight = one.Weight, RequestsMax = one.RequestsMax, Tier = one.Tier, Zone = one.Zone }, one.Lease);
        foreach (string cluster in Registrations.Select(one => one.Cluster).Distinct()) admin.Registry.Apply(cluster);
        foreach (Draining one in Drained.Except(before.Drained))
            if (server.Config.Clusters.ContainsKey(one.Cluster)) server.TakeOverDraining(one.Cluster, one.Destination, draining: true);
        foreach (Banned one in Bans.Except(before.Bans))
        {
            try
            {
                server.Ban(one.Block, one.Until, one.Reason, force: true);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It has ended meanwhile, or there is no room for as many here.
            }
        }
    }

    internal string ToJson() => JsonSerializer.Serialize(this, HandoverJson.Default.HandoverState);

    internal static HandoverState? Parse(string json) => JsonSerializer.Deserialize(json, HandoverJson.Default.HandoverState);
}

/// <summary>How it is written, without reflection.</summary>
[JsonSerializable(typeof(HandoverState))]
internal sealed partial class HandoverJson : JsonSerializerContext;
