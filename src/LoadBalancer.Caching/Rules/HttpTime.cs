using System.Buffers.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>Dates of the wire as milliseconds since the Unix epoch. Allocates nothing for the form in use.</summary>
internal static class HttpTime
{
    /// <summary>Length of an IMF-fixdate.</summary>
    internal const int DateBytes = 29;

    /// <summary><see cref="ResponseFacts.NoDate"/> for what is none.</summary>
    internal static long Read(ReadOnlySpan<byte> value)
    {
        // 'R' is the IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT"; it checks the day of the week.
        if (value.Length == DateBytes && Utf8Parser.TryParse(value, out DateTimeOffset date, out int consumed, 'R') && consumed == DateBytes) return date.ToUnixTimeMilliseconds();
        return HttpDate.TryParse(value, out date) ? date.ToUnixTimeMilliseconds() : ResponseFacts.NoDate;
    }

    /// <summary>Writes an IMF-fixdate: <see cref="DateBytes"/> bytes.</summary>
    internal static void Write(Span<byte> destination, long milliseconds)
    {
        if (!Utf8Formatter.TryFormat(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), destination, out _, 'R')) throw new ArgumentException("The destination is too small for a date.");
    }
}
