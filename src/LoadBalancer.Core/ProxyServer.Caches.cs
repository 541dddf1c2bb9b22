using System.Text;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Memory;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core;

// Caches while a server runs. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    private const int KeyBytesMax = 16 * 1024;

    /// <summary>The caches at this moment. Thread-safe.</summary>
    public IReadOnlyList<CacheView> DescribeCaches() => [.. Snapshot.Stores.Select(store => new CacheView(store.Name,
        PartOf(store.Memory.GetStatistics(), store.Config.MemoryBytesMax), store.Disk is { } disk ? PartOf(disk.GetStatistics(), store.Config.Disk!.BytesMax) : null))];

    private static CachePartView PartOf(StoreStatistics part, long bytesMax) =>
        new(part.Objects, part.Bytes, bytesMax, part.Hits, part.Misses, part.Insertions, part.Evictions, part.Purges, part.Refusals);

    /// <summary>Forgets stored responses, or has them revalidated before they are given out again. Responses that are under way are not stored. Thread-safe.</summary>
    /// <param name="cache">Name of the cache; null for all.</param>
    /// <param name="what">Which.</param>
    /// <param name="soft">True: they are stale from now on, and stay where the destination fails or says that they are still good.</param>
    /// <returns>How many were found.</returns>
    /// <exception cref="ArgumentException">There is no such cache, or <paramref name="what"/> is not to be understood; says why.</exception>
    public int PurgeCache(string? cache, CachePurge what, bool soft = false)
    {
        ArgumentNullException.ThrowIfNull(what);
        if ((what.Url is null ? 0 : 1) + (what.Tag is null ? 0 : 1) + (what.All ? 1 : 0) != 1) throw new ArgumentException("expected one of URL, tag and all", nameof(what));
        ResponseStore[] stores = [.. Snapshot.Stores.Where(store => cache is null || store.Name == cache)];
        if (cache is not null && stores.Length == 0) throw new ArgumentException($"there is no cache {CharacterText.Quote(cache)}{Suggestion.Text(cache, [.. Snapshot.Stores.Select(store => store.Name)])}", nameof(cache));
        PurgeTarget? target = null;
        if (what.Url is not null && (target = PurgeTarget.Parse(what.Url, out string? reason)) is null) throw new ArgumentException($"{CharacterText.Quote(what.Url)} is not what can be purged: {reason}", nameof(what));
        int purged = 0;
        foreach (ResponseStore store in stores)
        {
            if (target is not null) purged += Purge(store, target, soft);
            else purged += what.Tag is { } tag ? store.PurgeTag(tag, soft) : store.PurgePrefix([], soft);
        }
        return purged;
    }

    // Each way in which a route makes keys; the same key is met once, as it is gone then.
    private static int Purge(ResponseStore store, PurgeTarget target, bool soft)
    {
        byte[] room = new byte[KeyBytesMax];
        int purged = 0;
        foreach (RouteCache route in store.Routes)
        {
            if (!target.TryWrite(route.Keys, room, out int length, out bool isPrefix)) continue;
            ReadOnlySpan<byte> key = room.AsSpan(0, length);
            purged += isPrefix ? store.PurgePrefix(key, soft) : store.Purge(store.Hasher.Hash(key), key, soft);
        }
        return purged;
    }

    /// <summary>What is stored for a GET of a URL without further fields, and why the last answer to one was not. Thread-safe.</summary>
    /// <exception cref="ArgumentException">It is no URL; says why.</exception>
    public CacheExplanation ExplainCache(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        PurgeTarget? target = PurgeTarget.Parse(url, out string? reason);
        if (target is null || target.IsPrefix) throw new ArgumentException($"{CharacterText.Quote(url)} is not what can be looked for: {reason ?? "a \"*\" at its end stands for many"}", nameof(url));
        RouteSnapshot? route = null;
        var none = new NoFields();
        foreach (ListenerSnapshot listener in Snapshot.Listeners)
        {
            if (listener.Tcp is not null || listener.RedirectsTo is not null || listener.Tls is not null != target.IsHttps) continue;
            route ??= listener.Routes.Find(target.Authority, target.Path, "GET"u8, ref none);
        }
        // Whoever ends TLS before us has clients of ours by https on listeners without it.
        foreach (ListenerSnapshot listener in Snapshot.Listeners) route ??= listener.Routes.Find(target.Authority, target.Path, "GET"u8, ref none);
        if (route?.Cache is not { } cache) return new(route?.Name, null, [], null, null);

        byte[] room = new byte[KeyBytesMax];
        if (!cache.Keys.TryWriteResource(room, target.IsHttps, target.Authority, target.Path, target.Query, out int length)
            || !cache.Keys.TryAppendNoRequestParts(room, ref length)) throw new ArgumentException("it is too long for a key", nameof(url));
        ReadOnlySpan<byte> key = room.AsSpan(0, length);
        UInt128 hash = cache.Store.Hasher.Hash(key);
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var found = new List<StoredView>();
        foreach (StoredObject<StoredHead> one in cache.Store.Memory.Peek(hash, key)) found.Add(ViewOf(one, "memory", one.BodyLength, now));
        if (cache.Store.Disk is { } disk)
            foreach (StoredObject<StoredHead> one in disk.Peek(hash, key)) found.Add(ViewOf(one, "disk", one.BodyLength, now));
        bool isKnown = cache.Store.Verdicts.TryFind(hash, out StoreVerdict verdict, out long at);
        return new(route.Name, cache.Store.Name, found, isKnown ? verdict.ToString() : null, isKnown ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }

    private static StoredView ViewOf(StoredObject<StoredHead> stored, string place, long bodyBytes, long now)
    {
        StoredHead head = stored.Head;
        long left = (stored.IsMarkedStale ? Math.Min(head.Times.FreshUntil - now, 0) : head.Times.FreshUntil - now) / 1000;
        return new(place, head.Status, bodyBytes, head.Times.AgeAt(now), (int)Math.Clamp(left, int.MinValue, int.MaxValue), head.Times.Source.ToString(), Selection.Describe(head.SelectedBy),
            head.ETag.IsEmpty ? null : Encoding.Latin1.GetString(head.ETag), head.Tags, stored.IsMarkedStale);
    }

    private readonly struct NoFields : IFieldLookup
    {
        public bool TryGet(ReadOnlySpan<byte> lowerCaseName, out ReadOnlySpan<byte> value)
        {
            value = default;
            return false;
        }
    }
}
