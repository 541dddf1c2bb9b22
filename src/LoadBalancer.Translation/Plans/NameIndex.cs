using System.Text;

namespace LoadBalancer.Translation.Plans;

/// <summary>Finds what belongs to a name, given as UTF-8. Built once, never changed.</summary>
internal sealed class NameIndex<T> where T : class
{
    // Open addressing at most half full. Whoever wrote the map chose the names, so an unkeyed hash does.
    private readonly (byte[] Name, T Value)[] _slots;
    private readonly uint _mask;

    internal NameIndex(IEnumerable<(string Name, T Value)> entries)
    {
        (string Name, T Value)[] all = [.. entries];
        Values = [.. all.Select(e => e.Value)];
        _mask = (uint)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(all.Length * 2, 2)) - 1;
        _slots = new (byte[], T)[_mask + 1];
        foreach ((string name, T value) in all)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            uint at = Hash(bytes) & _mask;
            while (_slots[at].Value is not null) at = (at + 1) & _mask;
            _slots[at] = (bytes, value);
        }
    }

    internal T[] Values { get; }

    internal T? Find(ReadOnlySpan<byte> name)
    {
        if (Values.Length == 0) return null;
        for (uint at = Hash(name) & _mask; ; at = (at + 1) & _mask)
        {
            (byte[] slotName, T value) = _slots[at];
            if (value is null || name.SequenceEqual(slotName)) return value;
        }
    }

    private static uint Hash(ReadOnlySpan<byte> name)
    {
        uint hash = (uint)name.Length;
        if (name.Length >= 4)
        {
            hash ^= BitConverter.ToUInt32(name) * 0x9E3779B1;
            hash ^= BitConverter.ToUInt32(name[^4..]) * 0x85EBCA77;
            hash += name[name.Length / 2] * 0xC2B2AE3Du;
        }
        else foreach (byte b in name) hash = (hash ^ b) * 0x01000193;
        hash *= 0x9E3779B1;
        return hash ^ hash >> 15;
    }
}
