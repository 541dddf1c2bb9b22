using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Core.Protection;

/// <summary>Who is kept out by address: by the lists of a listener, or by a ban. Thread-safe.</summary>
internal sealed class SourceGuard(int bansMax, Refusals refusals, TimeProvider time)
{
    private const string BanPolicy = "bans", AutoBanPolicy = "autoBan";
    private readonly BanList _dryBans = new(bansMax); // those that would be without a dry run
    private int _version;

    /// <summary>The bans in force.</summary>
    internal BanList Bans { get; } = new(bansMax);

    /// <summary>Another number whenever somebody may be kept out who was not before: who was let in by the same one needs no further look.</summary>
    internal int Version => Volatile.Read(ref _version);

    /// <summary>A list has changed, or a ban was added.</summary>
    internal void OnChanged() => Interlocked.Increment(ref _version);

    /// <summary>Adds a ban; false when there is no room.</summary>
    internal bool TryBan(Ban ban)
    {
        if (!Bans.TryAdd(ban, time.GetUtcNow())) return false;
        OnChanged();
        return true;
    }

    /// <summary>Adds a ban of a client, or what would be one; null when there is one already, false when there is no room.</summary>
    internal bool? TryAutoBan(Ban ban, bool isDryRun)
    {
        DateTimeOffset now = time.GetUtcNow();
        BanList list = isDryRun ? _dryBans : Bans;
        if (list.Find(ban.Block.IsIPv4, ban.Block.First, now) is not null) return null;
        if (!list.TryAdd(ban, now)) return false;
        OnChanged();
        return true;
    }

    /// <summary>Whether any client may be kept out of a listener.</summary>
    internal bool IsUsed(ListenerSnapshot listener) => listener.Access is not null || Bans.Count > 0 || _dryBans.Count > 0;

    /// <summary>Why a client is kept out, which is noted; <see cref="EndReason.None"/> where it is not.</summary>
    /// <param name="record">Of its connection or request, with its listener.</param>
    /// <param name="listener">Where it came in.</param>
    /// <param name="client">Its address.</param>
    // Hot path: per connection, or per request of a trusted proxy. 0 allocations.
    internal EndReason Refuse(CompletionRecord record, ListenerSnapshot listener, in PeerAddress client)
    {
        if (IsIn(Bans, client))
        {
            refusals.Note(record, EndReason.SourceBanned, BanPolicy, isDryRun: false);
            return EndReason.SourceBanned;
        }
        if (IsIn(_dryBans, client)) refusals.Note(record, EndReason.SourceBanned, AutoBanPolicy, isDryRun: true);
        if (listener.Access is not { } access) return EndReason.None;
        EndReason reason = access.Refuses(client, out string policy);
        if (reason == EndReason.None) return EndReason.None;
        refusals.Note(record, reason, policy, access.IsDryRun);
        return access.IsDryRun ? EndReason.None : reason;
    }

    private bool IsIn(BanList bans, in PeerAddress client) => bans.Count > 0 && client.Family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
        && bans.Find(client.Family == AddressFamily.InterNetwork, client.AddressBits, time.GetUtcNow()) is not null;
}
