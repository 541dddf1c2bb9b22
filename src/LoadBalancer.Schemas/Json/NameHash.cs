using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LoadBalancer.Schemas.Json;

/// <summary>Hashes names of properties. Seeded per process, so that no client can choose names that collide.</summary>
internal static class NameHash
{
    private static readonly ulong Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    // Two odd constants of wyhash, which folds a 128-bit product as this does.
    private const ulong A = 0xa0761d6478bd642f, B = 0xe7037ed1a0b428db;

    // Hot path: per property of an instance. 0 allocations.
    internal static int Of(ReadOnlySpan<byte> name)
    {
        ulong hash = Seed ^ (ulong)name.Length * B;
        while (name.Length > 8)
        {
            hash = Fold(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(name), A);
            name = name[8..];
        }
        ulong tail = 0;
        if (name.Length >= 4)
        {
            tail = BinaryPrimitives.ReadUInt32LittleEndian(name) | (ulong)BinaryPrimitives.ReadUInt32LittleEndian(name[^4..]) << 32;
        }
        else if (name.Length > 0)
        {
            tail = name[0] | (ulong)name[name.Length >> 1] << 8 | (ulong)name[^1] << 16;
        }
        hash = Fold(hash ^ tail, A);
        return (int)(hash ^ hash >> 32);
    }

    internal static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a ^ Seed, b, out ulong low);
        return high ^ low;
    }
}
