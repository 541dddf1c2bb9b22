using System.Globalization;
using System.Numerics;

namespace LoadBalancer.Schemas.Json;

/// <summary>
/// A JSON number without rounding: mantissa times a power of ten, the mantissa without zeros at its end, so that equal numbers have equal parts. Up to 18 digits nothing
/// is allocated. Sizes are bounded by what <see cref="JsonTree"/> reads: 1024 characters, nine digits of exponent.
/// </summary>
internal readonly struct ExactNumber : IEquatable<ExactNumber>
{
    private const int SmallDigits = 18;

    private static readonly ulong[] Powers = MakePowers();

    private readonly sbyte _sign;
    private readonly int _digits;
    private readonly int _exponent;
    private readonly ulong _small;
    private readonly BigInteger _big; // of more digits than _small can hold

    private ExactNumber(sbyte sign, int digits, int exponent, ulong small, BigInteger big)
    {
        _sign = sign;
        _digits = digits;
        _exponent = exponent;
        _small = small;
        _big = big;
    }

    internal bool IsInteger => _exponent >= 0;

    internal bool IsPositive => _sign > 0;

    private bool IsSmall => _digits <= SmallDigits;

    private BigInteger Mantissa => IsSmall ? new BigInteger(_small) : _big;

    /// <summary>Reads a number that is written as RFC 8259 §6 has it.</summary>
    internal static ExactNumber Parse(ReadOnlySpan<byte> text)
    {
        sbyte sign = 1;
        if (text[0] == '-')
        {
            sign = -1;
            text = text[1..];
        }
        int exponent = 0;
        int mark = text.IndexOfAny((byte)'e', (byte)'E');
        if (mark >= 0)
        {
            exponent = int.Parse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            text = text[..mark];
        }
        Span<byte> digits = stackalloc byte[text.Length <= 128 ? 128 : 1024];
        int count = 0;
        bool isFraction = false;
        foreach (byte c in text)
        {
            if (c == '.')
            {
                isFraction = true;
                continue;
            }
            if (isFraction) exponent--;
            if (count > 0 || c != '0') digits[count++] = c;
        }
        while (count > 0 && digits[count - 1] == '0')
        {
            count--;
            exponent++;
        }
        if (count == 0) return default;
        if (count > SmallDigits)
        {
            return new ExactNumber(sign, count, exponent, 0, ParseBig(digits[..count]));
        }
        ulong small = 0;
        foreach (byte c in digits[..count]) small = small * 10 + (ulong)(c - '0');
        return new ExactNumber(sign, count, exponent, small, default);
    }

    internal int CompareTo(in ExactNumber other)
    {
        if (_sign != other._sign) return _sign.CompareTo(other._sign);
        if (_sign == 0) return 0;
        // The place of the first digit decides unless it is the same.
        int order = ((long)_digits + _exponent).CompareTo((long)other._digits + other._exponent);
        if (order == 0)
        {
            int shift = _digits - other._digits;
            order = IsSmall && other.IsSmall
                ? (shift < 0 ? _small * Powers[-shift] : _small).CompareTo(shift > 0 ? other._small * Powers[shift] : other._small)
                : (shift < 0 ? Mantissa * BigInteger.Pow(10, -shift) : Mantissa).CompareTo(shift > 0 ? other.Mantissa * BigInteger.Pow(10, shift) : other.Mantissa);
        }
        return _sign < 0 ? -order : order;
    }

    /// <summary>Whether it is a whole multiple of a positive number.</summary>
    internal bool IsMultipleOf(in ExactNumber divisor)
    {
        if (_sign == 0) return true;
        long shift = (long)_exponent - divisor._exponent;
        // No mantissa ends with a zero, so none is divided by ten.
        if (shift < 0) return false;
        if (IsSmall && divisor.IsSmall && shift <= SmallDigits) return (UInt128)(_small % divisor._small) * Powers[shift] % divisor._small == 0;
        BigInteger modulus = divisor.Mantissa;
        return (Mantissa % modulus * BigInteger.ModPow(10, shift, modulus) % modulus).IsZero;
    }

    public bool Equals(ExactNumber other) =>
        _sign == other._sign && _digits == other._digits && _exponent == other._exponent && _small == other._small && _big == other._big;

    public override bool Equals(object? obj) => obj is ExactNumber other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_sign, _exponent, _small, _big);

    private static BigInteger ParseBig(ReadOnlySpan<byte> digits)
    {
        Span<char> chars = stackalloc char[digits.Length];
        System.Text.Encoding.ASCII.GetChars(digits, chars);
        return BigInteger.Parse(chars, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static ulong[] MakePowers()
    {
        ulong[] powers = new ulong[SmallDigits + 1];
        powers[0] = 1;
        for (int i = 1; i < powers.Length; i++) powers[i] = powers[i - 1] * 10;
        return powers;
    }
}
