using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core.Affinity;

/// <summary>
/// Sticky sessions of one cluster. The cookie's value is an HMAC of the cluster and the destination's identity: it says nothing of the address,
/// cannot be made without the key, and is the same in every balancer that has the key. All that are valid stand in a table, so a request costs
/// a look-up and no cryptography. Thread-safe.
/// </summary>
internal sealed class StickySessions
{
    private static readonly byte[] s_processKey = RandomNumberGenerator.GetBytes(32);

    private readonly string _cluster;
    private readonly StickyConfig _config;
    private readonly Scheduler _scheduler;
    private readonly byte[] _cookie;
    private readonly byte[][] _keys;
    private StickyTable _table;

    internal StickySessions(string cluster, StickyConfig config, Scheduler scheduler)
    {
        _cluster = cluster;
        _config = config;
        _scheduler = scheduler;
        _cookie = Encoding.ASCII.GetBytes(config.Cookie);
        _keys = config.Keys.Count == 0 ? [s_processKey] : [.. config.Keys.Select(Encoding.UTF8.GetBytes)];
        _table = new StickyTable([], null, SessionsOf);
    }

    /// <summary>The sessions with the present members.</summary>
    // Made anew by whoever first sees that the members have changed; where two do, either is as good.
    internal StickyTable Table
    {
        get
        {
            StickyTable table = Volatile.Read(ref _table);
            IReadOnlyList<Destination> members = _scheduler.Destinations;
            if (ReferenceEquals(table.Members, members)) return table;
            table = new StickyTable(members, table, SessionsOf);
            Volatile.Write(ref _table, table);
            return table;
        }
    }

    /// <summary>The session that a request belongs to; null when it has no cookie of ours that is valid.</summary>
    // Hot path: per attempt in clusters with sticky sessions. 0 allocations. AllocationTests.StickyRequest_SteadyState_AllocatesNothing
    internal StickySession? Find<TFields>(StickyTable table, ref TFields fields) where TFields : IFieldLookup, allows ref struct
    {
        if (!fields.TryGet("cookie"u8, out ReadOnlySpan<byte> cookies)) return null;
        // A browser may send several of one name, set for different paths: ours is the one that is valid.
        foreach (Range range in cookies.Split((byte)';'))
        {
            ReadOnlySpan<byte> pair = cookies[range].Trim((byte)' ');
            if (pair.Length != _cookie.Length + 1 + StickyTable.TokenLength || pair[_cookie.Length] != '=' || !pair.StartsWith(_cookie)) continue;
            if (table.Find(pair[(_cookie.Length + 1)..]) is { } session) return session;
        }
        return null;
    }

    // One for each key, the present one first.
    private StickySession[] SessionsOf(Destination destination)
    {
        byte[] subject = Encoding.UTF8.GetBytes($"sticky\n{_cluster}\n{destination.Identity}");
        var sessions = new StickySession[_keys.Length];
        for (int i = 0; i < sessions.Length; i++)
        {
            string token = Convert.ToBase64String(HMACSHA256.HashData(_keys[i], subject).AsSpan(0, StickyTable.TokenBytes)).Replace('+', '-').Replace('/', '_');
            sessions[i] = new StickySession(destination, Encoding.ASCII.GetBytes(token), i == 0 ? Encoding.ASCII.GetBytes(SetCookie(token)) : null);
        }
        return sessions;
    }

    // RFC 6265 §4.1.1
    private string SetCookie(string token)
    {
        var line = new StringBuilder($"Set-Cookie: {_config.Cookie}={token}; Path={_config.Path}; HttpOnly");
        if (_config.MaxAge > TimeSpan.Zero) line.Append($"; Max-Age={(long)_config.MaxAge.TotalSeconds}");
        if (_config.Secure) line.Append("; Secure");
        if (_config.SameSite != StickySameSite.Unset) line.Append($"; SameSite={_config.SameSite}");
        return line.Append("\r\n").ToString();
    }
}
