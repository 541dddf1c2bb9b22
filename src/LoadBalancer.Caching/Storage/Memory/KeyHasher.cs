using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// Hashes primary keys to 128 bits under a secret of the process: SipHash-1-3 (Aumasson, Bernstein), with its output of 128 bits. Clients choose their keys, so a
/// hash that they can compute would let them fill one place of the tables.
/// </summary>
public readonly struct KeyHasher
{
    private readonly ulong _first, _second;

    /// <param name="secret">16 bytes. The same for every store that the hash is used with.</param>
    public KeyHasher(ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, 16, nameof(secret));
        _first = BinaryPrimitives.ReadUInt64LittleEndian(secret);
        _second = BinaryPrimitives.ReadUInt64LittleEndian(secret[8..]);
    }

    /// <summary>One with a secret that nobody else knows.</summary>
    public static KeyHasher Random() => new(RandomNumberGenerator.GetBytes(16));

    /// <summary>The hash of a key.</summary>
    // Hot path: per look-up. 0 allocations.
    public UInt128 Hash(ReadOnlySpan<byte> key)
    {
        ulong v0 = _first ^ 0x736F6D6570736575, v1 = _second ^ 0x646F72616E646F6D ^ 0xEE, v2 = _first ^ 0x6C7967656E657261, v3 = _second ^ 0x7465646279746573;
        ulong last = (ulong)key.Length << 56;
        for (; key.Length >= 8; key = key[8..])
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(key);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }
        for (int i = 0; i < key.Length; i++) last |= (ulong)key[i] << (i * 8);
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xEE;
        for (int i = 0; i < 3; i++) Round(ref v0, ref v1, ref v2, ref v3);
        ulong lower = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xDD;
        for (int i = 0; i < 3; i++) Round(ref v0, ref v1, ref v2, ref v3);
        return new(v0 ^ v1 ^ v2 ^ v3, lower);
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
