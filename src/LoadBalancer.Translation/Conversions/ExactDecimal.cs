namespace LoadBalancer.Translation.Conversions;

/// <summary>A decimal number of up to 36 digits, without any rounding: mantissa × 10^exponent. What does not fit is no number here.</summary>
internal readonly record struct ExactDecimal(Int128 Mantissa, int Exponent)
{
    private const int DigitsMax = 36, ExponentMax = 60;
    private static readonly Int128 MantissaMax = Power(DigitsMax);

    /// <summary>Longest text that <see cref="TryFormat"/> writes.</summary>
    internal const int TextMax = 48;

    /// <summary>Reads a number as JSON writes them (RFC 8259 §6).</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out ExactDecimal value)
    {
        value = default;
        int at = 0, digits = 0, exponent = 0;
        Int128 mantissa = 0;
        bool isNegative = text.Length > 0 && text[0] == '-';
        if (isNegative) at++;
        int first = at;
        for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++) if (!Digit(ref mantissa, ref digits, text[at])) return false;
        if (at == first || (text[first] == '0' && at > first + 1)) return false;
        if (at < text.Length && text[at] == '.')
        {
            int point = ++at;
            for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++)
            {
                if (!Digit(ref mantissa, ref digits, text[at])) return false;
                exponent--;
            }
            if (at == point) return false;
        }
        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            at++;
            bool isBelow = at < text.Length && text[at] == '-';
            if (at < text.Length && text[at] is (byte)'-' or (byte)'+') at++;
            int written = 0, start = at;
            for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++) written = Math.Min(written * 10 + text[at] - '0', 10_000);
            if (at == start) return false;
            exponent += isBelow ? -written : written;
        }
        if (at != text.Length) return false;
        value = new ExactDecimal(isNegative ? -mantissa : mantissa, mantissa == 0 ? 0 : exponent).Shortest();
        return Math.Abs(value.Exponent) <= ExponentMax;
    }

    private static bool Digit(ref Int128 mantissa, ref int digits, byte digit)
    {
        mantissa = mantissa * 10 + (digit - '0');
        return mantissa == 0 || ++digits <= DigitsMax;
    }

    /// <summary>Without zeros at the end, so that equal numbers are equal values.</summary>
    private ExactDecimal Shortest()
    {
        (Int128 mantissa, int exponent) = this;
        if (mantissa == 0) return new(0, 0);
        while (mantissa % 10 == 0)
        {
            mantissa /= 10;
            exponent++;
        }
        return new(mantissa, exponent);
    }

    /// <summary>The product; false when it has too many digits.</summary>
    internal static bool TryMultiply(ExactDecimal a, ExactDecimal b, out ExactDecimal product)
    {
        product = default;
        if (a.Mantissa != 0 && Int128.Abs(b.Mantissa) > MantissaMax / Int128.Abs(a.Mantissa)) return false;
        product = new ExactDecimal(a.Mantissa * b.Mantissa, a.Exponent + b.Exponent).Shortest();
        return Math.Abs(product.Exponent) <= ExponentMax;
    }

    /// <summary>The quotient; false when it does not end, or has too many digits.</summary>
    internal static bool TryDivide(ExactDecimal a, ExactDecimal b, out ExactDecimal quotient)
    {
        quotient = default;
        if (b.Mantissa == 0) return false;
        Int128 divisor = b.Mantissa, dividend = a.Mantissa;
        int exponent = a.Exponent - b.Exponent;
        while (dividend % divisor != 0)
        {
            if (Int128.Abs(dividend) > MantissaMax / 10) return false;
            dividend *= 10;
            exponent--;
        }
        quotient = new ExactDecimal(dividend / divisor, exponent).Shortest();
        return Math.Abs(quotient.Exponent) <= ExponentMax;
    }

    /// <summary>The quotient, cut to so many digits after the point, half to even; false when it has too many digits.</summary>
    internal static bool TryDivideRounded(ExactDecimal a, ExactDecimal b, int places, out ExactDecimal quotient)
    {
        quotient = default;
        if (b.Mantissa == 0) return false;
        // The whole number a / b × 10^places, rounded; numerator and denominator are brought to whole numbers first.
        int exponent = a.Exponent - b.Exponent + places;
        Int128 numerator = a.Mantissa, denominator = b.Mantissa;
        if (exponent >= 0 ? !TryScale(ref numerator, exponent) : !TryScale(ref denominator, -exponent)) return false;
        (Int128 whole, Int128 rest) = Int128.DivRem(numerator, denominator);
        Int128 twice = Int128.Abs(rest) * 2, size = Int128.Abs(denominator);
        if (twice > size || (twice == size && !Int128.IsEvenInteger(whole))) whole += Int128.IsNegative(numerator) == Int128.IsNegative(denominator) ? 1 : -1;
        quotient = new ExactDecimal(whole, -places).Shortest();
        return true;
    }

    /// <summary>Cut to so many digits after the point, half to even.</summary>
    internal bool TryRound(int places, out ExactDecimal rounded) => TryDivideRounded(this, new ExactDecimal(1, 0), places, out rounded);

    private static bool TryScale(ref Int128 value, int exponent)
    {
        if (value == 0) return true;
        for (; exponent > 0; exponent--)
        {
            if (Int128.Abs(value) > MantissaMax / 10) return false;
            value *= 10;
        }
        return true;
    }

    private static Int128 Power(int exponent)
    {
        Int128 power = 1;
        for (; exponent > 0; exponent--) power *= 10;
        return power;
    }

    /// <summary>Digits after the point.</summary>
    internal int Places => Math.Max(-Exponent, 0);

    /// <summary>The number as a whole one; false when it has a fraction or is no <see cref="long"/>.</summary>
    internal bool TryToInt64(out long value)
    {
        value = 0;
        Int128 mantissa = Mantissa;
        if (Exponent < 0 || !TryScale(ref mantissa, Exponent) || mantissa > long.MaxValue || mantissa < long.MinValue) return false;
        value = (long)mantissa;
        return true;
    }

    /// <summary>Writes the number without an exponent and with at least so many digits after the point; false when that takes more than <see cref="TextMax"/> bytes.</summary>
    internal bool TryFormat(Span<byte> destination, int placesMin, out int length)
    {
        length = 0;
        Span<byte> digits = stackalloc byte[40];
        if (!Int128.Abs(Mantissa).TryFormat(digits, out int count)) return false;
        int places = Math.Max(Places, placesMin), zeros = Math.Max(Exponent, 0);
        int fraction = Places, whole = Math.Max(count - fraction, 0);
        if (1 + Math.Max(whole + zeros, 1) + 1 + places > Math.Min(TextMax, destination.Length)) return false;
        if (Int128.IsNegative(Mantissa)) destination[length++] = (byte)'-';
        if (whole == 0) destination[length++] = (byte)'0';
        digits[..whole].CopyTo(destination[length..]);
        length += whole;
        for (; zeros > 0 && Mantissa != 0; zeros--) destination[length++] = (byte)'0';
        if (places == 0) return true;
        destination[length++] = (byte)'.';
        int start = length;
        for (int leading = fraction - count; leading > 0; leading--) destination[length++] = (byte)'0';
        if (fraction > 0)
        {
            digits[whole..count].CopyTo(destination[length..]);
            length += count - whole;
        }
        while (length - start < places) destination[length++] = (byte)'0';
        return true;
    }
}
