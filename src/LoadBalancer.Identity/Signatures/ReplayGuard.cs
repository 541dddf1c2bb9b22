using System.Runtime.InteropServices;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Identity.Signatures;

/// <summary>
/// Remembers nonces for as long as a signature with them can be good, at least. What is full says so: to forget one would let it be used again. Thread-safe.
/// </summary>
public sealed class ReplayGuard
{
    private readonly KeySecret _first = KeySecret.Random(), _second = KeySecret.Random();
    private readonly int _halfCapacity;
    private readonly TimeSpan _for;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private HashSet<UInt128> _current = [], _previous = [];
    private long _since;

    /// <param name="capacity">Nonces; 16 to 48 bytes each.</param>
    /// <param name="remembered">For how long, at least.</param>
    /// <param name="time">The clock.</param>
    public ReplayGuard(int capacity, TimeSpan remembered, TimeProvider time)
    {
        (_halfCapacity, _for, _time, _since) = (Math.Max(1, capacity / 2), remembered, time, time.GetTimestamp());
    }

    /// <summary>Uses a nonce.</summary>
    public FailureReason Use(string keyId, string nonce)
    {
        UInt128 key = new(Hash(_first, keyId, nonce), Hash(_second, keyId, nonce));
        lock (_gate)
        {
            TimeSpan age = _time.GetElapsedTime(_since);
            if (age >= _for)
            {
                // What lies in the older set was used before the newer one began, which is long enough ago.
                (_previous, _current) = (age >= _for * 2 ? [] : _current, []);
                _since = _time.GetTimestamp();
            }
            if (_current.Contains(key) || _previous.Contains(key)) return FailureReason.Replayed;
            if (_current.Count >= _halfCapacity) return FailureReason.ReplayTableFull;
            _current.Add(key);
            return FailureReason.None;
        }
    }

    private static ulong Hash(in KeySecret secret, string keyId, string nonce)
    {
        var hash = new KeyHash(secret);
        hash.Add(MemoryMarshal.AsBytes(keyId.AsSpan()));
        hash.Add(MemoryMarshal.AsBytes(nonce.AsSpan()));
        return hash.ToKey();
    }
}
