using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace LoadBalancer.Limiting.Keys;

/// <summary>
/// Makes one 64-bit key of several parts (an address, a field, a path): SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF") under a secret of
/// the process. Clients choose the parts, so a hash that they can compute would let them fall on another's entry. A value: one for each key, no allocation.
/// </summary>
public ref struct KeyHash
{
    private ulong _v0, _v1, _v2, _v3, _length;

    /// <summary>Begins a key.</summary>
    public KeyHash(in KeySecret secret)
    {
        _v0 = secret.First ^ 0x736F6D6570736575;
        _v1 = secret.Second ^ 0x646F72616E646F6D;
        _v2 = secret.First ^ 0x6C7967656E657261;
        _v3 = secret.Second ^ 0x7465646279746573;
    }

    /// <summary>Adds a part. Its length counts, so that ("ab", "c") is another key than ("a", "bc").</summary>
    public void Add(scoped ReadOnlySpan<byte> part)
    {
        _length += (ulong)part.Length;
        (ulong v0, ulong v1, ulong v2, ulong v3) = (_v0, _v1, _v2, _v3); // in registers
        // At most seven bytes are left in the end, and their number beside them: what ends each part.
        int left = part.Length & 7;
        ulong rest = (ulong)left << 56 | Tail(part, left);
        for (; part.Length >= 8; part = part[8..]) Compress(ref v0, ref v1, ref v2, ref v3, BinaryPrimitives.ReadUInt64LittleEndian(part));
        Compress(ref v0, ref v1, ref v2, ref v3, rest);
        (_v0, _v1, _v2, _v3) = (v0, v1, v2, v3);
    }

    /// <summary>Adds a part of fixed length.</summary>
    public void Add(ulong part)
    {
        _length += 8;
        (ulong v0, ulong v1, ulong v2, ulong v3) = (_v0, _v1, _v2, _v3);
        Compress(ref v0, ref v1, ref v2, ref v3, part);
        (_v0, _v1, _v2, _v3) = (v0, v1, v2, v3);
    }

    /// <summary>The key. Never 0.</summary>
    public readonly ulong ToKey()
    {
        (ulong v0, ulong v1, ulong v2, ulong v3) = (_v0, _v1, _v2, _v3);
        Compress(ref v0, ref v1, ref v2, ref v3, _length);
        v2 ^= 0xFF;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        ulong key = v0 ^ v1 ^ v2 ^ v3;
        return key == 0 ? 1 : key;
    }

    // The last bytes, up to seven, in the low ones of a word. Where eight are there they are read at once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Tail(ReadOnlySpan<byte> part, int left)
    {
        if (left == 0) return 0;
        if (part.Length >= 8) return BinaryPrimitives.ReadUInt64LittleEndian(part[^8..]) >> (64 - left * 8);
        ulong tail = 0;
        for (int i = 0; i < part.Length; i++) tail |= (ulong)part[i] << (i * 8);
        return tail;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Compress(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3, ulong word)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

/// <summary>The secret under which keys are made.</summary>
public readonly record struct KeySecret(ulong First, ulong Second)
{
    /// <summary>One that nobody else knows.</summary>
    public static KeySecret Random() => new(BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)), BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)));

    /// <summary>One that everybody has who knows the text: for keys that several nodes must make alike.</summary>
    /// <param name="secret">At least 128 bits of chance, however written.</param>
    /// <param name="purpose">Each has a secret of its own, which tells nothing of the others.</param>
    public static KeySecret Of(string secret, string purpose)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(purpose), hash);
        return new(BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]));
    }
}
