using System.Globalization;
using System.Numerics;

namespace LoadBalancer.Http;

/// <summary>Writes numbers of the wire format. No state; any thread; never allocates.</summary>
public static class HeadWriter
{
    /// <summary>Longest output of <see cref="WriteInt64"/>, in bytes (with a sign).</summary>
    public const int Int64BytesMax = 20;

    /// <summary>Longest output of <see cref="WriteHex"/>, in bytes.</summary>
    public const int HexBytesMax = 16;

    /// <summary>Writes a decimal number and returns its length. The destination needs up to <see cref="Int64BytesMax"/> bytes.</summary>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    public static int WriteInt64(Span<byte> destination, long value)
    {
        if (!value.TryFormat(destination, out int written, default, CultureInfo.InvariantCulture)) ThrowTooSmall();
        return written;
    }

    /// <summary>Writes a chunk size: hexadecimal, lower case, no leading zeros; returns its length. The value is read as unsigned.</summary>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    public static int WriteHex(Span<byte> destination, long value)
    {
        int length = (BitOperations.Log2((ulong)value) >> 2) + 1; // Log2(0) is 0: one digit
        if (destination.Length < length) ThrowTooSmall();
        for (int i = length - 1; i >= 0; i--)
        {
            destination[i] = "0123456789abcdef"u8[(int)(value & 15)];
            value >>= 4;
        }
        return length;
    }

    private static void ThrowTooSmall() => throw new ArgumentException("The destination is too small for the number.");
}
