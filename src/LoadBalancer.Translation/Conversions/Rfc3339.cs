namespace LoadBalancer.Translation.Conversions;

/// <summary>Times and dates of RFC 3339, as seconds since 1970 in UTC and nanoseconds. No allocation, no culture.</summary>
internal static class Rfc3339
{
    /// <summary>Reads a time with its offset, or a date (§5.6). No leap seconds; at most nine digits after the second that are not zero.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, bool isDate, out long seconds, out int nanos)
    {
        seconds = nanos = 0;
        if (text.Length < 10 || text[4] != '-' || text[7] != '-') return false;
        if (!Digits(text[..4], out int year) || !Digits(text[5..7], out int month) || !Digits(text[8..10], out int day)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        seconds = (new DateOnly(year, month, day).DayNumber - 719_162L) * 86_400; // days of 0001-01-01 to 1970-01-01
        if (isDate) return text.Length == 10;
        if (text.Length < 20 || (text[10] | 0x20) != 't' || text[13] != ':' || text[16] != ':') return false;
        if (!Digits(text[11..13], out int hour) || !Digits(text[14..16], out int minute) || !Digits(text[17..19], out int second)) return false;
        if (hour > 23 || minute > 59 || second > 59) return false;
        seconds += hour * 3600 + minute * 60 + second;
        int at = 19;
        if (text[at] == '.')
        {
            int start = ++at;
            for (int unit = 100_000_000; at < text.Length && char.IsAsciiDigit((char)text[at]); at++, unit /= 10)
            {
                if (unit == 0 && text[at] != '0') return false;
                nanos += (text[at] - '0') * unit;
            }
            if (at == start) return false;
        }
        ReadOnlySpan<byte> zone = text[at..];
        if (zone.Length == 1) return (zone[0] | 0x20) == 'z';
        if (zone.Length != 6 || zone[0] is not ((byte)'+' or (byte)'-') || zone[3] != ':' || !Digits(zone[1..3], out int hours) || !Digits(zone[4..6], out int minutes)) return false;
        if (hours > 23 || minutes > 59) return false;
        int offset = hours * 3600 + minutes * 60;
        seconds += zone[0] == '+' ? -offset : offset;
        return seconds is >= -62_135_596_800 and <= 253_402_300_799;
    }

    /// <summary>Writes a time in UTC, with as many digits after the second as it takes.</summary>
    internal static int Write(Span<byte> destination, long seconds, int nanos)
    {
        int length = WriteDate(destination, seconds);
        int inDay = (int)(seconds - Days(seconds) * 86_400);
        destination[length++] = (byte)'T';
        Two(destination[length..], inDay / 3600);
        destination[length + 2] = (byte)':';
        Two(destination[(length + 3)..], inDay / 60 % 60);
        destination[length + 5] = (byte)':';
        Two(destination[(length + 6)..], inDay % 60);
        length += 8;
        if (nanos > 0)
        {
            destination[length++] = (byte)'.';
            for (int unit = 100_000_000; nanos > 0; unit /= 10)
            {
                destination[length++] = (byte)('0' + nanos / unit);
                nanos %= unit;
            }
        }
        destination[length++] = (byte)'Z';
        return length;
    }

    /// <summary>Writes the date in UTC: ten bytes.</summary>
    internal static int WriteDate(Span<byte> destination, long seconds)
    {
        DateOnly date = DateOnly.FromDayNumber((int)(Days(seconds) + 719_162));
        Two(destination, date.Year / 100);
        Two(destination[2..], date.Year % 100);
        destination[4] = (byte)'-';
        Two(destination[5..], date.Month);
        destination[7] = (byte)'-';
        Two(destination[8..], date.Day);
        return 10;
    }

    private static long Days(long seconds) => seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400;

    private static void Two(Span<byte> destination, int value)
    {
        destination[0] = (byte)('0' + value / 10);
        destination[1] = (byte)('0' + value % 10);
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (byte b in text)
        {
            if (!char.IsAsciiDigit((char)b)) return false;
            value = value * 10 + b - '0';
        }
        return true;
    }
}
