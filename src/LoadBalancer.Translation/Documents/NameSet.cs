using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoadBalancer.Translation.Documents;

/// <summary>
/// The names of all objects of one document, to find those that come twice. Its hash has a secret of the process: nobody can choose names that collide. Kept between documents.
/// </summary>
internal sealed class NameSet
{
    private const int SlotsMin = 512, SlotsKeptMax = 1 << 15;

    private static readonly ulong Secret = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;
    private static readonly ulong Secret2 = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;

    private Slot[] _slots = new Slot[SlotsMin];
    private int _count;
    private uint _document = 1;

    internal void Reset()
    {
        _count = 0;
        if (_slots.Length > SlotsKeptMax) _slots = new Slot[SlotsMin];
        // A slot of another document is an empty one: nothing has to be cleared.
        if (++_document != 0) return;
        Array.Clear(_slots);
        _document = 1;
    }

    /// <summary>Adds a name of an object; false when the object has it already.</summary>
    /// <param name="name">Without escapes.</param>
    /// <param name="place">Where the name lies in <paramref name="source"/>, or the complement of where it lies in <paramref name="scratch"/>.</param>
    /// <param name="container">Number of the object.</param>
    /// <param name="source">The document.</param>
    /// <param name="scratch">Names that had escapes.</param>
    internal bool Add(ReadOnlySpan<byte> name, int place, uint container, ReadOnlySpan<byte> source, ReadOnlySpan<byte> scratch)
    {
        if (_count * 2 >= _slots.Length) Grow();
        uint hash = Hash(name, container);
        Slot[] slots = _slots;
        uint mask = (uint)slots.Length - 1;
        for (uint at = hash & mask; ; at = (at + 1) & mask)
        {
            ref Slot slot = ref slots[at];
            if (slot.Document != _document)
            {
                slot = new Slot { Document = _document, Hash = hash, Container = container, Place = place, Length = name.Length };
                _count++;
                return true;
            }
            if (slot.Hash != hash || slot.Container != container || slot.Length != name.Length) continue;
            ReadOnlySpan<byte> other = slot.Place >= 0 ? source.Slice(slot.Place, slot.Length) : scratch.Slice(~slot.Place, slot.Length);
            if (other.SequenceEqual(name)) return false;
        }
    }

    private void Grow()
    {
        Slot[] old = _slots;
        _slots = new Slot[old.Length * 2];
        uint mask = (uint)_slots.Length - 1;
        foreach (ref Slot slot in old.AsSpan())
        {
            if (slot.Document != _document) continue;
            uint at = slot.Hash & mask;
            while (_slots[at].Document == _document) at = (at + 1) & mask;
            _slots[at] = slot;
        }
    }

    // Multiply and fold, eight bytes at a time, in the manner of wyhash.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(ReadOnlySpan<byte> name, uint container)
    {
        ulong hash = Secret ^ ((ulong)container << 32 | (uint)name.Length);
        for (; name.Length >= 8; name = name[8..]) hash = Mix(hash ^ MemoryMarshal.Read<ulong>(name), Secret2);
        ulong last = 0;
        foreach (byte b in name) last = last << 8 | b;
        return Fold(Mix(hash ^ last, Secret2));
    }

    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    private static uint Fold(ulong hash) => (uint)(hash ^ hash >> 32);

    private struct Slot
    {
        internal uint Document, Hash, Container;
        internal int Place, Length;
    }
}
