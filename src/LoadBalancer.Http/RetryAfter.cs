namespace LoadBalancer.Http;

/// <summary>Reads Retry-After (RFC 9110 §10.2.3): seconds or a date.</summary>
public static class RetryAfter
{
    /// <summary>The wait in whole seconds, 0 to <paramref name="secondsMax"/>: longer ones are cut, dates in the past and anything malformed are 0.</summary>
    /// <param name="value">The field's value.</param>
    /// <param name="now">The time of day, for dates.</param>
    /// <param name="secondsMax">Longest wait to believe in.</param>
    public static int SecondsOf(ReadOnlySpan<byte> value, DateTimeOffset now, int secondsMax)
    {
        if (value.IsEmpty) return 0;
        if (value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return HttpDate.TryParse(value, out DateTimeOffset date) ? (int)Math.Clamp(Math.Ceiling((date - now).TotalSeconds), 0, secondsMax) : 0;
        long seconds = 0;
        for (int i = 0; i < value.Length && seconds < secondsMax; i++) seconds = seconds * 10 + (value[i] - '0');
        return (int)Math.Min(seconds, secondsMax);
    }
}
