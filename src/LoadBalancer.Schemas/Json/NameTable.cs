using System.Text;

namespace LoadBalancer.Schemas.Json;

/// <summary>Finds the slot of a name among those that are known when it is built. Immutable.</summary>
internal sealed class NameTable
{
    private readonly int[] _slots; // slot + 1; 0: free
    private readonly int[] _hashes;
    private readonly byte[][] _names;

    internal NameTable(IReadOnlyList<string> names)
    {
        _names = new byte[names.Count][];
        _hashes = new int[names.Count];
        _slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, names.Count * 2))];
        for (int i = 0; i < names.Count; i++)
        {
            _names[i] = Encoding.UTF8.GetBytes(names[i]);
            _hashes[i] = NameHash.Of(_names[i]);
            int at = _hashes[i] & _slots.Length - 1;
            while (_slots[at] != 0) at = at + 1 & _slots.Length - 1;
            _slots[at] = i + 1;
        }
    }

    internal int Count => _names.Length;

    internal byte[] this[int slot] => _names[slot];

    internal int HashOf(int slot) => _hashes[slot];

    // Hot path: per property of an instance. 0 allocations.
    internal int Find(ReadOnlySpan<byte> name, int hash)
    {
        int[] slots = _slots;
        for (int at = hash & slots.Length - 1; ; at = at + 1 & slots.Length - 1)
        {
            int slot = slots[at] - 1;
            if (slot < 0) return -1;
            if (_hashes[slot] == hash && name.SequenceEqual(_names[slot])) return slot;
        }
    }
}
