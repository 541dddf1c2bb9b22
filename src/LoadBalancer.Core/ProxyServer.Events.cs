using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core;

// What happens to a server, for those who look after it. Any thread.
public sealed partial class ProxyServer
{
    /// <summary>The last events of the server; also whoever embeds it may add to them. Thread-safe.</summary>
    public ServerEvents Events { get; }

    /// <summary>The last attempt to replace the configuration; null where there was none. Thread-safe.</summary>
    public ReloadView? LastReload
    {
        get => Volatile.Read(ref _lastReload);
        internal set => Volatile.Write(ref _lastReload, value);
    }

    private ReloadView? _lastReload;

    /// <summary>What lists, rules and limits have refused since the start. Thread-safe.</summary>
    public IReadOnlyList<RefusalView> DescribeRefusals() => Refusals.Tally.View();

    /// <summary>A destination's status has changed: an event, and an entry in its own history.</summary>
    internal void NoteStatus(string cluster, DestinationState destination, ServerEventKind kind, string text, string? actor = null) =>
        NoteStatus(Events, cluster, destination, kind, text, actor);

    internal static void NoteStatus(ServerEvents events, string cluster, DestinationState destination, ServerEventKind kind, string text, string? actor)
    {
        ServerEvent added = events.Add(kind, $"{cluster}/{destination.Name}", text, actor);
        destination.History.Add(new StatusChange(added.Time, kind, added.Text, actor));
    }

    private void NoteDraining(ClusterSnapshot cluster, Destination member, bool draining, string? actor)
    {
        if (member.Status.HasFlag(DestinationStatus.Draining) == draining) return;
        if (draining) NoteStatus(cluster.Name, (DestinationState)member.Tag!, ServerEventKind.DestinationDraining, "gets nothing new, and finishes what it has", actor);
        else NoteStatus(cluster.Name, (DestinationState)member.Tag!, ServerEventKind.DestinationEnabled, "no longer drains", actor);
    }

    private void NoteMembers(ClusterSnapshot cluster, string source, HashSet<DestinationState>? before)
    {
        if (before is null) return; // registrations: each of them has an event of its own
        HashSet<DestinationState> now = [.. cluster.Members.Present];
        int joined = now.Count(one => !before.Contains(one)), left = before.Count(one => !now.Contains(one));
        if (joined + left > 0) Events.Add(ServerEventKind.DestinationsUpdated, cluster.Name, $"{source}: {joined} came, {left} left, {now.Count} destinations now");
    }

    internal const string RegistrationSource = "registration";
}

/// <summary>An attempt to replace the configuration of a running server.</summary>
/// <param name="Time">When, in UTC.</param>
/// <param name="Succeeded">Whether the new one is in use.</param>
/// <param name="Text">What has changed, or why nothing has; for people.</param>
/// <param name="Actor">Who asked for it; null where nobody did, as when its file has changed.</param>
public sealed record ReloadView(DateTimeOffset Time, bool Succeeded, string Text, string? Actor);
