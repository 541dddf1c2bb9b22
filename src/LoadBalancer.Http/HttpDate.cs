using System.Globalization;

namespace LoadBalancer.Http;

/// <summary>Reads HTTP-date (RFC 9110 §5.6.7) in all three of its forms.</summary>
public static class HttpDate
{
    private const int LengthMax = 40; // the longest, of RFC 850 with "Wednesday", has 33

    private static readonly string[] s_forms =
    [
        "ddd, dd MMM yyyy HH:mm:ss 'GMT'",   // IMF-fixdate, the one in use
        "dddd, dd-MMM-yy HH:mm:ss 'GMT'",    // RFC 850
        "ddd MMM d HH:mm:ss yyyy",           // asctime, which pads the day with a space
        "ddd MMM  d HH:mm:ss yyyy",
    ];

    /// <summary>False for anything else, also for a day of the week that is not the date's.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, out DateTimeOffset date)
    {
        date = default;
        if (value.Length > LengthMax) return false;
        Span<char> text = stackalloc char[value.Length];
        for (int i = 0; i < value.Length; i++) text[i] = (char)value[i];
        return DateTimeOffset.TryParseExact(text, s_forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);
    }
}
