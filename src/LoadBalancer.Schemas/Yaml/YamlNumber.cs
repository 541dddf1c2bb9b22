using System.Globalization;
using System.Numerics;

namespace LoadBalancer.Schemas.Yaml;

/// <summary>Numbers of YAML's core schema (1.2.2 §10.3.2), written as JSON has them: no plus sign, no zeros in front, digits on both sides of the point.</summary>
internal static class YamlNumber
{
    private const int LengthMax = 1000;

    private static readonly System.Buffers.SearchValues<char> Hexadecimal = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    internal static bool TryConvert(string text, out string number)
    {
        number = "";
        if (text.Length is 0 or > LengthMax) return false;
        if (text.StartsWith("0x", StringComparison.Ordinal) && text.Length > 2 && !text.AsSpan(2).ContainsAnyExcept(Hexadecimal))
        {
            number = BigInteger.Parse("0" + text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
            return true;
        }
        if (text.StartsWith("0o", StringComparison.Ordinal) && text.Length > 2 && text.AsSpan(2).IndexOfAnyExceptInRange('0', '7') < 0)
        {
            BigInteger value = 0;
            foreach (char c in text.AsSpan(2)) value = value * 8 + (c - '0');
            number = value.ToString(CultureInfo.InvariantCulture);
            return true;
        }
        ReadOnlySpan<char> rest = text;
        string sign = rest[0] == '-' ? "-" : "";
        if (rest[0] is '-' or '+') rest = rest[1..];
        ReadOnlySpan<char> whole = TakeDigits(ref rest), fraction = "";
        if (!rest.IsEmpty && rest[0] == '.')
        {
            rest = rest[1..];
            fraction = TakeDigits(ref rest);
            if (whole.IsEmpty && fraction.IsEmpty) return false;
        }
        else if (whole.IsEmpty)
        {
            return false;
        }
        string exponent = "";
        if (!rest.IsEmpty && rest[0] is ('e' or 'E'))
        {
            rest = rest[1..];
            string exponentSign = !rest.IsEmpty && rest[0] == '-' ? "-" : "";
            if (!rest.IsEmpty && rest[0] is ('-' or '+')) rest = rest[1..];
            ReadOnlySpan<char> digits = TakeDigits(ref rest);
            if (digits.IsEmpty) return false;
            exponent = $"e{exponentSign}{digits}";
        }
        if (!rest.IsEmpty) return false;
        whole = whole.TrimStart('0');
        number = $"{sign}{(whole.IsEmpty ? "0" : whole)}{(fraction.IsEmpty ? "" : ".")}{fraction}{exponent}";
        return true;
    }

    private static ReadOnlySpan<char> TakeDigits(scoped ref ReadOnlySpan<char> rest)
    {
        int digits = rest.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0) digits = rest.Length;
        ReadOnlySpan<char> taken = rest[..digits];
        rest = rest[digits..];
        return taken;
    }
}
