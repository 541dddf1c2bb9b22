using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Identity;

/// <summary>
/// Remembers credentials that were verified, so that one that comes again costs a hash and a comparison. Of fixed size; any thread, no locks: an entry is immutable and
/// set by one reference write. It is found by a keyed hash and then compared whole, so that no collision authenticates anybody; only what was verified is put in, so that
/// clients cannot fill it with what they make up.
/// </summary>
public sealed class VerifiedCache
{
    private const int Ways = 4;

    private sealed record Entry(ulong Hash, byte[] Credential, Principal Principal, long UntilSeconds, int Generation);

    private readonly Entry?[] _entries;
    private readonly int _mask;
    private readonly KeySecret _secret = KeySecret.Random();
    private int _generation;

    /// <param name="capacity">Credentials, rounded up to a power of two, at least 4.</param>
    public VerifiedCache(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _entries = new Entry?[Math.Max(Ways, (int)BitOperations.RoundUpToPowerOf2((uint)capacity))];
        _mask = _entries.Length - 1;
    }

    /// <summary>Changes with <see cref="Clear"/>. Taken before a credential is verified, and given with what comes of it: what was verified by keys that are gone is not kept.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>Finds one that was verified and is still good.</summary>
    // Hot path: per request. 0 allocations. VerifiedCacheTests.TryGet_AfterAdd_AllocatesNothing
    public bool TryGet(ReadOnlySpan<byte> credential, long nowSeconds, [NotNullWhen(true)] out Principal? principal)
    {
        ulong hash = Hash(credential);
        int generation = Generation;
        int first = First(hash);
        for (int i = 0; i < Ways; i++)
        {
            if (Volatile.Read(ref _entries[first + i]) is not { } entry || entry.Hash != hash || entry.Generation != generation) continue;
            // Not in constant time: that a prefix is right tells nothing, as without the hash under our secret nobody comes here.
            if (nowSeconds >= entry.UntilSeconds || !credential.SequenceEqual(entry.Credential)) continue;
            principal = entry.Principal;
            return true;
        }
        principal = null;
        return false;
    }

    /// <summary>Keeps one that was verified.</summary>
    /// <param name="credential">The whole credential; copied.</param>
    /// <param name="principal">Who it is.</param>
    /// <param name="untilSeconds">From then on it is no longer found, in seconds since 1970.</param>
    /// <param name="generation"><see cref="Generation"/> from before it was verified.</param>
    public void Add(ReadOnlySpan<byte> credential, Principal principal, long untilSeconds, int generation)
    {
        ulong hash = Hash(credential);
        int first = First(hash), slot = first;
        long least = long.MaxValue;
        for (int i = 0; i < Ways; i++)
        {
            Entry? entry = Volatile.Read(ref _entries[first + i]);
            // The same one, a free place, one of an old generation; else what ends first goes.
            long worth = entry is null || entry.Generation != generation || entry.Hash == hash ? long.MinValue : entry.UntilSeconds;
            if (worth >= least) continue;
            least = worth;
            slot = first + i;
        }
        Volatile.Write(ref _entries[slot], new Entry(hash, credential.ToArray(), principal, untilSeconds, generation));
    }

    /// <summary>Forgets all: keys or revocations are others now.</summary>
    public void Clear()
    {
        Interlocked.Increment(ref _generation);
        // Frees them. One that is added meanwhile under the old generation is not found.
        for (int i = 0; i < _entries.Length; i++) Volatile.Write(ref _entries[i], null);
    }

    private int First(ulong hash) => (int)hash & _mask & ~(Ways - 1);

    private ulong Hash(ReadOnlySpan<byte> credential)
    {
        var hash = new KeyHash(_secret);
        hash.Add(credential);
        return hash.ToKey();
    }
}
