using LoadBalancer.Identity.Following;

namespace LoadBalancer.Identity.Keys;

/// <summary>
/// Keys that are fetched. A token that names an unknown key has them fetched again, as issuers rotate keys whenever they like; but tokens are made up freely, so this
/// happens rarely, names that were not found are remembered, and only so many wait for it. Tokens whose key is known never wait.
/// </summary>
public sealed class FollowedKeys : IKeySource, IDisposable
{
    private const int WaitersMax = 256;

    private readonly Followed<KeySet> _keys;
    private readonly UnknownKeyIds _unknown;
    private readonly TimeProvider _time;
    private readonly TimeSpan _waitMax;
    private int _waiting;

    /// <param name="keys">The set; owned from now on.</param>
    /// <param name="waitMax">How long a token waits for a fetch.</param>
    /// <param name="time">The clock.</param>
    public FollowedKeys(Followed<KeySet> keys, TimeSpan waitMax, TimeProvider time)
    {
        _keys = keys;
        _waitMax = waitMax;
        _time = time;
        _unknown = new UnknownKeyIds(time);
        keys.Changed += _unknown.Clear;
    }

    /// <inheritdoc/>
    public event Action? Changed
    {
        add => _keys.Changed += value;
        remove => _keys.Changed -= value;
    }

    /// <inheritdoc/>
    public KeySet? Current => _keys.Current;

    /// <summary>Begins to fetch.</summary>
    public Task Start() => _keys.Start();

    /// <inheritdoc/>
    public Task? TryRefetch(string? keyId)
    {
        if (keyId is not null && _unknown.Contains(keyId)) return null;
        if (Volatile.Read(ref _waiting) >= WaitersMax || _keys.TryRefetch() is not { } fetch) return null;
        return WaitAsync(fetch, keyId);
    }

    private async Task WaitAsync(Task fetch, string? keyId)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await fetch.WaitAsync(_waitMax, _time).ConfigureAwait(false);
            // Only what a whole fetch did not bring.
            if (keyId is not null && _keys.Problem is null && _keys.Current?.Has(keyId) == false) _unknown.Add(keyId);
        }
        catch (TimeoutException)
        {
            // The token is judged by what there is.
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();
}
