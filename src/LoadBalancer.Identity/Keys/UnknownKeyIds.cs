using System.Runtime.InteropServices;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Identity.Keys;

/// <summary>Names of keys that a fetch has not brought, each for some minutes. Of fixed size: what comes later takes the place of something else. Thread-safe.</summary>
internal sealed class UnknownKeyIds(TimeProvider time)
{
    internal const int Capacity = 1024;
    internal static readonly TimeSpan For = TimeSpan.FromMinutes(5);

    private readonly KeySecret _secret = KeySecret.Random();
    private readonly (ulong Hash, long Since)[] _entries = new (ulong, long)[Capacity];
    private readonly Lock _gate = new();

    internal bool Contains(string keyId)
    {
        ulong hash = Hash(keyId);
        lock (_gate)
        {
            (ulong found, long since) = _entries[hash % Capacity];
            return found == hash && time.GetElapsedTime(since) < For;
        }
    }

    internal void Add(string keyId)
    {
        ulong hash = Hash(keyId);
        lock (_gate) _entries[hash % Capacity] = (hash, time.GetTimestamp());
    }

    internal void Clear()
    {
        lock (_gate) Array.Clear(_entries);
    }

    private ulong Hash(string keyId)
    {
        var hash = new KeyHash(_secret);
        hash.Add(MemoryMarshal.AsBytes(keyId.AsSpan()));
        return hash.ToKey();
    }
}
