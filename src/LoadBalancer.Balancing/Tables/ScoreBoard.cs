using System.Runtime.CompilerServices;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoadBalancer.Balancing;

/// <summary>
/// The price of every seat as a packed array of integers, that is searched for the lowest: 16 seats to a line of memory, 8 to an
/// instruction. Writers replace single prices at any time; a search sees each price as it was at some moment during the search.
/// </summary>
// Pad what is sampled, pack what is scanned: the counters behind the prices lie apart, the prices themselves together.
internal sealed class ScoreBoard
{
    /// <summary>Price of a seat that must not be chosen.</summary>
    internal const int None = int.MaxValue;

    /// <summary>Up to so many seats every price is compared; of more a sample.</summary>
    internal const int ScanMax = 256;
    private const int SampleMin = 8, SampleMax = 64;
    private const int Group = 64; // seats whose comparison gives one word of bits
    private const int VectorsPerGroup = 8;
    private const int GroupsMax = ScanMax / Group;

    private readonly int[] _prices; // to a whole number of pairs of vectors, of groups when there are several
    private readonly int _count;
    private readonly PickRandom _random;

    internal ScoreBoard(int count, PickRandom random)
    {
        _count = count;
        _random = random;
        int unit = count <= Group ? 2 * Vector256<int>.Count : Group;
        _prices = new int[(count + unit - 1) / unit * unit];
        Array.Fill(_prices, None);
    }

    internal int this[int seat] => Volatile.Read(ref _prices[seat]);

    /// <summary>Sets a price, and is a full fence: what is read afterwards is read after the price can be seen.</summary>
    internal void Set(int seat, int price) => Interlocked.Exchange(ref _prices[seat], price);

    /// <summary>Sets a price without a fence: for prices that are corrected later anyway.</summary>
    internal void SetLazily(int seat, int price) => Volatile.Write(ref _prices[seat], price);

    /// <summary>A seat of lowest price, any of them with equal chance; -1 when no seat may be chosen.</summary>
    /// <param name="but">A seat to leave out, or -1.</param>
    /// <param name="price">Its price.</param>
    internal int FindLowest(int but, out int price)
    {
        // Leaving one out is for retries, which are few: those always sample.
        if (_count > ScanMax || but >= 0) return SampleLowest(but, out price);
        // A price found may be gone when its seats are looked for; soon it holds still, or else any seat will do.
        for (int attempt = 0; attempt < 3; attempt++)
        {
            price = Lowest();
            if (price == None) return -1;
            int seat = FindEqual(price);
            if (seat >= 0) return seat;
        }
        return SampleLowest(but, out price);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Lowest()
    {
        ReadOnlySpan<Vector256<int>> prices = MemoryMarshal.Cast<int, Vector256<int>>(_prices);
        Vector256<int> a = Vector256.Create(None), b = a;
        for (int i = 1; i < prices.Length; i += 2)
        {
            a = Vector256.Min(a, prices[i - 1]);
            b = Vector256.Min(b, prices[i]);
        }
        a = Vector256.Min(a, b);
        Vector128<int> c = Vector128.Min(a.GetLower(), a.GetUpper());
        c = Vector128.Min(c, Vector128.Shuffle(c, Vector128.Create(2, 3, 0, 1)));
        return Math.Min(c.GetElement(0), c.GetElement(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int FindEqual(int price)
    {
        ReadOnlySpan<Vector256<int>> prices = MemoryMarshal.Cast<int, Vector256<int>>(_prices);
        Vector256<int> wanted = Vector256.Create(price);
        if (prices.Length <= VectorsPerGroup)
        {
            ulong mask = EqualBits(prices, wanted);
            if (mask == 0) return -1;
            return BitOperations.IsPow2(mask) ? BitOperations.TrailingZeroCount(mask) : NthBit(mask, _random.Next(BitOperations.PopCount(mask)));
        }
        Span<ulong> masks = stackalloc ulong[GroupsMax];
        int groups = prices.Length / VectorsPerGroup, total = 0;
        for (int g = 0; g < groups; g++)
        {
            masks[g] = EqualBits(prices.Slice(g * VectorsPerGroup, VectorsPerGroup), wanted);
            total += BitOperations.PopCount(masks[g]);
        }
        if (total == 0) return -1;
        int skip = total == 1 ? 0 : _random.Next(total);
        for (int g = 0; ; g++)
        {
            int here = BitOperations.PopCount(masks[g]);
            if (skip < here) return g * Group + NthBit(masks[g], skip);
            skip -= here;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong EqualBits(ReadOnlySpan<Vector256<int>> group, Vector256<int> wanted)
    {
        ulong mask = 0;
        for (int i = 0; i < group.Length; i++) mask |= (ulong)Vector256.Equals(group[i], wanted).ExtractMostSignificantBits() << (8 * i);
        return mask;
    }

    // A native binary that must run on any processor of the last 15 years has no deposit; a loop over the bits would cost it half a pick.
    private static int NthBit(ulong mask, int n) => Bmi2.X64.IsSupported
        ? BitOperations.TrailingZeroCount(Bmi2.X64.ParallelBitDeposit(1ul << n, mask)) : SelectBit(mask, n);

    /// <summary>The place of the n-th set bit, from 0 on, by counts of whole bytes (Vigna, Broadword Implementation of Rank/Select Queries, 2008, section 3).</summary>
    internal static int SelectBit(ulong mask, int n)
    {
        const ulong Ones = 0x0101010101010101, Highs = 0x8080808080808080;
        ulong pairs = mask - (mask >> 1 & 0x5555555555555555);
        ulong nibbles = (pairs & 0x3333333333333333) + (pairs >> 2 & 0x3333333333333333);
        ulong upTo = (nibbles + (nibbles >> 4) & 0x0F0F0F0F0F0F0F0F) * Ones;   // in each byte: the bits of this and the lower ones
        int place = 8 * BitOperations.PopCount(((uint)n * Ones | Highs) - upTo & Highs); // the byte that reaches n
        uint rest = (byte)(mask >> place);
        for (int skip = n - (byte)(upTo << 8 >> place); skip > 0; skip--) rest &= rest - 1;
        return place + BitOperations.TrailingZeroCount(rest);
    }

    // One seat in 32: of 8 choices and more little is left to gain (Mitzenmacher 2001), and many would cost more than comparing all.
    // Drawn one by one, because destinations are often listed in patterns (zones in turn), and steps of one length fall in with them.
    private int SampleLowest(int but, out int price)
    {
        price = None;
        if (_count == 0) return -1;
        bool isAll = but >= 0 && _count <= SampleMax;
        int draws = isAll ? _count : but >= 0 ? SampleMax : Math.Clamp(_count / 32, SampleMin, SampleMax);
        ulong random = _random.Next();
        int best = -1, next = (int)((random >> 32) * (ulong)_count >> 32);
        for (int i = 0; i < draws; i++)
        {
            int seat = next, candidate = this[seat];
            if (candidate < price && seat != but)
            {
                price = candidate;
                best = seat;
            }
            if (isAll) next = seat + 1 < _count ? seat + 1 : 0;
            else
            {
                random = random * 6364136223846793005 + 1442695040888963407; // Knuth's MMIX generator; its upper half is good
                next = (int)((random >> 32) * (ulong)_count >> 32);
            }
        }
        return best >= 0 ? best : FirstUsable(but, out price);
    }

    private int FirstUsable(int but, out int price)
    {
        for (int seat = 0; seat < _count; seat++)
        {
            price = this[seat];
            if (price != None && seat != but) return seat;
        }
        price = None;
        return -1;
    }
}
