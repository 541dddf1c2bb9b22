using System.Text.Json;

namespace LoadBalancer.Translation.Conversions;

/// <summary>How a side writes points in time.</summary>
internal enum TimeForm : byte
{
    /// <summary>Seconds since 1970, a number.</summary>
    UnixSeconds,
    /// <summary>Milliseconds since 1970, a number.</summary>
    UnixMilliseconds,
    /// <summary>"2026-11-29T01:02:03Z" (RFC 3339).</summary>
    Rfc3339,
    /// <summary>"2026-11-29" (RFC 3339 full-date), midnight in UTC.</summary>
    Date,
}

/// <summary>Points in time from one form to another. Finer than the other form can say: cut where the rule is lossy, else not converted. Offsets become Z.</summary>
internal sealed class TimeConversion(TimeForm v1, TimeForm v2, bool isLossy) : Conversion
{
    private const long SecondsMin = -62_135_596_800, SecondsMax = 253_402_300_799; // years 1 to 9999
    private const int NanosPerSecond = 1_000_000_000, NanosPerMillisecond = 1_000_000;

    internal override string Describe(bool isForward) => (isForward ? v1 : v2) switch
    {
        TimeForm.UnixSeconds => "seconds since 1970",
        TimeForm.UnixMilliseconds => "milliseconds since 1970",
        TimeForm.Rfc3339 => "time of RFC 3339",
        _ => "date of RFC 3339",
    };

    internal override bool TryConvert(bool isForward, Scalar value, Span<byte> space, out Scalar result)
    {
        result = default;
        return TryRead(isForward ? v1 : v2, value, out long seconds, out int nanos) && TryWrite(isForward ? v2 : v1, seconds, nanos, space, out result);
    }

    private bool TryRead(TimeForm form, Scalar value, out long seconds, out int nanos)
    {
        seconds = nanos = 0;
        if (form is TimeForm.Rfc3339 or TimeForm.Date) return value.IsString && Rfc3339.TryParse(value.Text, form == TimeForm.Date, out seconds, out nanos);
        if (!value.IsNumber || !ExactDecimal.TryParse(value.Text, out ExactDecimal number)) return false;
        int places = form == TimeForm.UnixSeconds ? 9 : 6;
        if (number.Places > places && (!isLossy || !number.TryRound(places, out number))) return false;
        if (!ExactDecimal.TryMultiply(number, new ExactDecimal(1, places), out ExactDecimal whole)) return false;
        Int128 total = whole.Mantissa;
        if (whole.Exponent > 30) return false;
        for (int i = 0; i < whole.Exponent; i++) total *= 10;
        // Down, not towards zero: nanoseconds count up from the second also before 1970.
        Int128 floor = total >= 0 ? total / NanosPerSecond : (total - (NanosPerSecond - 1)) / NanosPerSecond;
        if (floor < SecondsMin || floor > SecondsMax) return false;
        seconds = (long)floor;
        nanos = (int)(total - floor * NanosPerSecond);
        return true;
    }

    private bool TryWrite(TimeForm form, long seconds, int nanos, Span<byte> space, out Scalar result)
    {
        result = default;
        int length;
        switch (form)
        {
            case TimeForm.UnixSeconds:
                if ((nanos != 0 && !isLossy) || !seconds.TryFormat(space, out length)) return false;
                break;
            case TimeForm.UnixMilliseconds:
                if ((nanos % NanosPerMillisecond != 0 && !isLossy) || !(seconds * 1000 + nanos / NanosPerMillisecond).TryFormat(space, out length)) return false;
                break;
            case TimeForm.Date:
                if ((nanos != 0 || seconds % 86_400 != 0) && !isLossy) return false;
                length = Rfc3339.WriteDate(space, seconds);
                break;
            default:
                length = Rfc3339.Write(space, seconds, nanos);
                break;
        }
        result = new Scalar(form is TimeForm.Rfc3339 or TimeForm.Date ? JsonTokenType.String : JsonTokenType.Number, space[..length]);
        return true;
    }

    internal override string Sample(Random random)
    {
        // As coarse as the coarser side.
        long seconds = random.NextInt64(0, 4_000_000_000), nanos = 0;
        if (v1 == TimeForm.Date || v2 == TimeForm.Date) seconds -= seconds % 86_400;
        else if (v1 != TimeForm.UnixSeconds && v2 != TimeForm.UnixSeconds) nanos = random.Next(1000) * (long)NanosPerMillisecond;
        Span<byte> space = stackalloc byte[TextMax];
        TryWrite(v1, seconds, (int)nanos, space, out Scalar sample);
        string text = System.Text.Encoding.ASCII.GetString(sample.Text);
        return sample.IsString ? $"\"{text}\"" : text;
    }
}
