using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>The bytes of a key while it is put together. Each part has its length before it, so no two lists of parts make the same. Used again; belongs to one loop.</summary>
internal sealed class DecisionKey
{
    // What is longer stands by its SHA-256.
    private const int BytesMax = 4096;

    private byte[] _bytes = new byte[512];
    private int _length;

    internal ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    internal void Clear() => _length = 0;

    internal void Add(ReadOnlySpan<byte> part) => part.CopyTo(Begin(part.Length));

    internal void Add(string part) => Add(MemoryMarshal.AsBytes(part.AsSpan()));

    internal void AddLowerCase(ReadOnlySpan<byte> part) => Ascii.ToLower(part, Begin(part.Length), out _);

    /// <summary>Begins a part that is put together of pieces.</summary>
    /// <returns>For <see cref="EndText"/>.</returns>
    internal int BeginText()
    {
        Begin(0);
        return _length;
    }

    /// <summary>Adds a piece.</summary>
    internal void Append(ReadOnlySpan<byte> piece)
    {
        if (_length + piece.Length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_length + piece.Length, 2 * _bytes.Length));
        piece.CopyTo(_bytes.AsSpan(_length));
        _length += piece.Length;
    }

    /// <summary>Ends a part of pieces, and returns it.</summary>
    internal ReadOnlySpan<byte> EndText(int start)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(start - 4), _length - start);
        return _bytes.AsSpan(start, _length - start);
    }

    /// <summary>How many of something follow.</summary>
    internal void AddCount(int count) => BinaryPrimitives.WriteInt32LittleEndian(Begin(4), count);

    internal void Add(in PeerAddress address)
    {
        Span<byte> part = Begin(17);
        part[0] = (byte)address.Family;
        BinaryPrimitives.WriteUInt128LittleEndian(part[1..], address.AddressBits);
    }

    /// <summary>Ends it; its hash under a secret.</summary>
    internal ulong End(in KeySecret secret)
    {
        if (_length > BytesMax)
        {
            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(Bytes, digest);
            if (_bytes.Length > 4 * BytesMax) _bytes = new byte[BytesMax];
            BinaryPrimitives.WriteInt32LittleEndian(_bytes, -1); // the length of no part
            digest.CopyTo(_bytes.AsSpan(4));
            _length = 4 + digest.Length;
        }
        var hash = new KeyHash(secret);
        hash.Add(Bytes);
        return hash.ToKey();
    }

    private Span<byte> Begin(int length)
    {
        int needed = _length + 4 + length;
        if (needed > _bytes.Length) Array.Resize(ref _bytes, Math.Max(needed, 2 * _bytes.Length));
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_length), length);
        Span<byte> part = _bytes.AsSpan(_length + 4, length);
        _length = needed;
        return part;
    }
}
