using System.Numerics;

namespace LoadBalancer.Limiting.Addresses;

/// <summary>
/// Many address blocks, as in a block list. Immutable; a look-up allocates nothing and takes a binary search, which an index by the first bits of an
/// address makes short (for IPv6: of its distance from the first range): the blocks are kept as ranges in order, those that touch or overlap as one.
/// </summary>
public sealed class AddressSet
{
    private const int IndexBitsMax = 16;

    /// <summary>A set without addresses.</summary>
    public static readonly AddressSet Empty = new([]);

    private readonly uint[] _first4, _last4;
    private readonly int[] _index4; // by the first bits: the first range that ends there or later
    private readonly int _indexShift;
    private readonly UInt128[] _first6, _last6;
    private readonly ulong[] _lastHigh6; // the first half of _last6, which mostly decides
    private readonly int[] _index6; // as _index4
    private readonly ulong _lowest6;
    private readonly int _indexShift6;

    /// <param name="blocks">In any order; they may overlap.</param>
    public AddressSet(IReadOnlyCollection<AddressBlock> blocks)
    {
        List<(UInt128 First, UInt128 Last)> merged4 = Merge(blocks.Where(block => block.IsIPv4)), merged6 = Merge(blocks.Where(block => !block.IsIPv4));
        _first4 = [.. merged4.Select(range => (uint)range.First)];
        _last4 = [.. merged4.Select(range => (uint)range.Last)];
        _first6 = [.. merged6.Select(range => range.First)];
        _last6 = [.. merged6.Select(range => range.Last)];
        int indexBits = Math.Clamp(BitOperations.Log2((uint)_first4.Length) + 1, 1, IndexBitsMax);
        _indexShift = 32 - indexBits;
        _index4 = new int[(1 << indexBits) + 1];
        int at = 0;
        for (int prefix = 0; prefix < 1 << indexBits; prefix++)
        {
            while (at < _last4.Length && _last4[at] < (uint)prefix << _indexShift) at++;
            _index4[prefix] = at;
        }
        _index4[^1] = _last4.Length;
        _lastHigh6 = [.. _last6.Select(last => (ulong)(last >> 64))];
        (_index6, _lowest6, _indexShift6) = Index(_lastHigh6);
        Count = blocks.Count;
    }

    /// <summary>Blocks that it was made of.</summary>
    public int Count { get; }

    /// <summary>Whether an address lies in one of the blocks.</summary>
    /// <param name="isIPv4">Its family.</param>
    /// <param name="address">As mapped IPv6 where it is IPv4.</param>
    // Hot path: per connection or request. 0 allocations.
    public bool Contains(bool isIPv4, UInt128 address)
    {
        if (Count == 0) return false;
        return isIPv4 ? Contains((uint)address) : Contains(address);
    }

    private bool Contains(uint address)
    {
        // The first range that ends at the address or later is the only one that may have it.
        uint prefix = address >> _indexShift;
        int low = _index4[prefix], high = Math.Min(_index4[prefix + 1], _last4.Length - 1);
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_last4[middle] < address) low = middle + 1;
            else high = middle;
        }
        return low < _last4.Length && _first4[low] <= address && address <= _last4[low];
    }

    private bool Contains(UInt128 address)
    {
        ulong[] highs = _lastHigh6;
        ulong high = (ulong)(address >> 64);
        if (highs.Length == 0 || high > highs[^1]) return false;
        int low = 0;
        if (high > _lowest6)
        {
            ulong prefix = (high - _lowest6) >> _indexShift6;
            low = _index6[prefix];
            int count = _index6[prefix + 1] - low;
            // Without branches: where an address falls nobody can foresee.
            while (count > 0)
            {
                int half = (count + 1) >> 1;
                low += half * (highs[low + half - 1] < high ? 1 : 0);
                count -= half;
            }
        }
        // Many ranges may end in the same /64.
        if (_last6[low] < address && highs[low] == high) low = EndIn64(low, address);
        return low < _first6.Length && _first6[low] <= address && address <= _last6[low];
    }

    private int EndIn64(int low, UInt128 address)
    {
        int end = _last6.Length;
        while (low < end)
        {
            int middle = (low + end) >>> 1;
            if (_last6[middle] < address) low = middle + 1;
            else end = middle;
        }
        return low;
    }

    // For each step from the lowest key on: the first key that is in it or above.
    private static (int[] Index, ulong Lowest, int Shift) Index(ulong[] keys)
    {
        if (keys.Length == 0) return ([], 0, 0);
        ulong lowest = keys[0], spread = keys[^1] - lowest;
        int shift = Math.Max(0, 64 - BitOperations.LeadingZeroCount(spread) - Math.Clamp(BitOperations.Log2((uint)keys.Length) + 1, 1, IndexBitsMax));
        int[] index = new int[(int)(spread >> shift) + 2];
        int at = 0;
        for (int prefix = 0; prefix < index.Length - 1; prefix++)
        {
            while (at < keys.Length && (keys[at] - lowest) >> shift < (ulong)prefix) at++;
            index[prefix] = at;
        }
        index[^1] = keys.Length;
        return (index, lowest, shift);
    }

    private static List<(UInt128 First, UInt128 Last)> Merge(IEnumerable<AddressBlock> blocks)
    {
        var merged = new List<(UInt128 First, UInt128 Last)>();
        foreach (AddressBlock block in blocks.OrderBy(block => block.First))
        {
            if (merged.Count > 0 && (merged[^1].Last == UInt128.MaxValue || block.First <= merged[^1].Last + 1)) merged[^1] = (merged[^1].First, UInt128.Max(merged[^1].Last, block.Last));
            else merged.Add((block.First, block.Last));
        }
        return merged;
    }
}
