using LoadBalancer.Core.Policies;
using LoadBalancer.Identity.Following;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Gateway.Authentication.Sources;

/// <summary>What one policy follows. A file must be good when the policy is made; the rest may be had later.</summary>
internal sealed class SourceSet(PolicyServices services) : IDisposable
{
    internal const int KeysBytesMax = 1 << 20, UsersBytesMax = 4 << 20, ApiKeysBytesMax = 32 << 20, RevocationsBytesMax = 64 << 20;

    private readonly List<IDisposable> _owned = [];
    private readonly List<ContentFetch> _fetches = [];

    internal Followed<T> Follow<T>(SourceConfig config, string what, int bytesMax, ReadContents<T> read) where T : class
    {
        Followed<T> followed = Create(config, what, bytesMax, read);
        _ = followed.Start();
        return followed;
    }

    internal IKeySource FollowKeys(SourceConfig config, string issuer, TimeSpan wait, JwksReader reader)
    {
        var keys = new FollowedKeys(Create<KeySet>(config, $"the keys of {issuer}", KeysBytesMax, reader.TryRead), wait, services.Time);
        _ = keys.Start();
        return keys;
    }

    internal IRevocations? FollowRevocations(SourceConfig? config)
    {
        if (config is null) return null;
        var list = new FollowedRevocations(Create<RevocationList>(config, "the revocation list", RevocationsBytesMax, RevocationList.TryRead));
        _ = list.Start();
        return list;
    }

    private Followed<T> Create<T>(SourceConfig config, string what, int bytesMax, ReadContents<T> read) where T : class
    {
        var fetch = new ContentFetch(config, bytesMax, services.Config.Redis, services.Time);
        var options = new FollowOptions { Interval = config.IntervalOrDefault, Timeout = config.Timeout, RefetchMin = config.RefetchMin, AgeMax = config.MaxAge, BytesMax = bytesMax };
        var followed = new Followed<T>($"policy {services.Name}: {what} ({config.From})", fetch.FetchAsync, read, options, services.Time, services.Logger);
        _owned.Add(followed);
        _fetches.Add(fetch);
        if (!config.IsFile) return followed;
        if (fetch.ReadNow(out string problem) is { } content && followed.TryTake(content, out problem)) return followed;
        Dispose();
        throw new InvalidOperationException($"policy {services.Name}: {what}: the file \"{config.From}\" {problem}");
    }

    /// <summary>Ends the following.</summary>
    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        // The connection to Redis ends by itself; nobody waits for that.
        foreach (ContentFetch fetch in _fetches) _ = fetch.DisposeAsync().AsTask();
        _owned.Clear();
        _fetches.Clear();
    }
}
