using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;
using LoadBalancer.Limiting.Keys;
using LoadBalancer.Limiting.Rates;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Protection;

/// <summary>Counts refusals by client, and bans who has too many. Thread-safe; the table has a fixed size, in which those with most refusals stay.</summary>
internal sealed class AutoBan
{
    private const int SourcesMax = 1 << 16;
    private static readonly TimeSpan TellInterval = TimeSpan.FromMinutes(1);

    private readonly AutoBanConfig _config;
    private readonly AddressList[] _ignored;
    private readonly CidrSet _trusted;
    private readonly SourceGuard _guard;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KeySecret _secret = KeySecret.Random();
    private readonly SlidingWindow? _refusals; // allows one less than leads to a ban; null where the first one does
    private long _toldFullAt; // timestamp; 0 for never

    /// <summary>Where operators are told.</summary>
    internal required BanEvents Events { get; init; }

    internal AutoBan(AutoBanConfig config, ProxySnapshot snapshot, SourceGuard guard, TimeProvider time, ILogger logger)
    {
        _config = config;
        _ignored = snapshot.AddressLists.Get(config.Ignore);
        _trusted = CidrSet.Parse(snapshot.Config.Listeners.Values.SelectMany(listener => listener.TrustedProxies.Concat(listener.ProxyProtocol?.TrustedPeers ?? [])));
        _guard = guard;
        _time = time;
        _logger = logger;
        if (config.Refusals > 1) _refusals = new SlidingWindow(config.Refusals - 1, (long)(config.Within.TotalSeconds * time.TimestampFrequency), SourcesMax);
    }

    /// <summary>A client was refused, not by a ban.</summary>
    // Hot path while under attack. 0 allocations but for a ban.
    internal void OnRefused(CompletionRecord record, EndReason reason, string policy)
    {
        PeerAddress client = record.ForwardedClient.Family != AddressFamily.Unspecified ? record.ForwardedClient : record.Client;
        if (client.Family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6) || _trusted.Contains(client)) return;
        AddressBlock source = AddressBlockText.OfClient(client);
        if (_refusals is not null)
        {
            var hash = new KeyHash(_secret);
            hash.Add((ulong)(source.First >> 64));
            hash.Add((ulong)source.First);
            if (_refusals.TryTake(hash.ToKey(), 1, _time.GetTimestamp()).IsAllowed) return;
        }
        foreach (AddressList list in _ignored)
            if (list.Contains(client)) return;
        Ban(source, reason, policy);
    }

    // A full list under attack would fill the log.
    private bool HasToTell()
    {
        long now = _time.GetTimestamp(), told = Volatile.Read(ref _toldFullAt);
        if (told != 0 && _time.GetElapsedTime(told, now) < TellInterval) return false;
        return Interlocked.CompareExchange(ref _toldFullAt, now, told) == told;
    }

    private void Ban(AddressBlock source, EndReason reason, string policy)
    {
        DateTimeOffset until = _time.GetUtcNow() + _config.For;
        var ban = new Ban(source, until, $"autoBan: {_config.Refusals} refusals within {DurationText.Format(_config.Within)}, the last {reason} by {policy}");
        string text = AddressBlockText.Format(source), end = $"{until:u}";
        switch (_guard.TryAutoBan(ban, _config.DryRun))
        {
            case true when _config.DryRun:
                ProtectionLog.WouldBeBanned(_logger, text, end, ban.Reason);
                break;
            case true:
                ProtectionLog.Banned(_logger, text, end, ban.Reason);
                Events.Banned(text, $"until {end}; {ban.Reason}");
                break;
            case false when HasToTell():
                ProtectionLog.NotBanned(_logger, text, ban.Reason, _guard.Bans.Count);
                break;
        }
    }
}
