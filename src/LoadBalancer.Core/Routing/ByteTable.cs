using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace LoadBalancer.Core.Routing;

/// <summary>
/// A map from byte strings to objects, built once and then only read. Keys come from the configuration and never from a request,
/// so a client cannot lengthen a probe sequence and the hash needs no secret seed.
/// </summary>
internal sealed class ByteTable<TValue> where TValue : class
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15; // 2^64 / golden ratio: spreads the low bits over the high ones
    private const ulong CaseBits = 0x2020202020202020;

    private readonly Entry[] _entries; // open addressing, at most half full
    private readonly int _shift;
    private readonly ulong _fold;

    private struct Entry
    {
        internal ulong Hash;
        internal byte[]? Key;
        internal TValue Value;
    }

    /// <summary>Keys must be distinct; with <paramref name="ignoreCase"/> they are ASCII and distinct without regard to case.</summary>
    internal ByteTable(IReadOnlyCollection<KeyValuePair<byte[], TValue>> items, bool ignoreCase)
    {
        _fold = ignoreCase ? CaseBits : 0;
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, items.Count * 2));
        _entries = new Entry[size];
        _shift = 64 - BitOperations.Log2((uint)size);
        foreach ((byte[] key, TValue value) in items)
        {
            ulong hash = Hash(key);
            int at = (int)(hash >> _shift);
            while (_entries[at].Key is not null) at = (at + 1) & (size - 1);
            _entries[at] = new Entry { Hash = hash, Key = key, Value = value };
        }
    }

    // Hot path: per request. 0 allocations. RouteTableTests.Find_ThousandRoutes_AllocatesNothing
    internal TValue? Find(ReadOnlySpan<byte> key)
    {
        Entry[] entries = _entries;
        ulong hash = Hash(key);
        for (int at = (int)(hash >> _shift); ; at = (at + 1) & (entries.Length - 1))
        {
            ref Entry entry = ref entries[at];
            if (entry.Key is not { } candidate) return null;
            if (entry.Hash == hash && (_fold == 0 ? key.SequenceEqual(candidate) : Ascii.EqualsIgnoreCase(key, candidate))) return entry.Value;
        }
    }

    // Folding sets bit 5 of every byte: letters of either case hash alike. Other bytes may then collide, which the comparison settles.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Hash(ReadOnlySpan<byte> key)
    {
        ulong hash = (ulong)key.Length * Multiplier;
        while (key.Length >= 8)
        {
            hash = Mix(hash ^ (BinaryPrimitives.ReadUInt64LittleEndian(key) | _fold));
            key = key[8..];
        }
        ulong rest = 0;
        if (key.Length >= 4)
        {
            rest = BinaryPrimitives.ReadUInt32LittleEndian(key) | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(key[^4..]) << 32);
        }
        else if (key.Length > 0)
        {
            rest = key[0] | ((ulong)key[key.Length >> 1] << 8) | ((ulong)key[^1] << 16);
        }
        return Mix(hash ^ (rest | _fold));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong value)
    {
        ulong high = Math.BigMul(value ^ Multiplier, 0xD6E8FEB86659FD93, out ulong low); // 128-bit multiply and fold, as wyhash does
        return high ^ low;
    }
}
