using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>Writes our member of Cache-Status (RFC 9211), as a line of its own: it comes after those of caches nearer to the origin. Never allocates.</summary>
public static class CacheStatus
{
    /// <summary>Room that a line needs at most beside the name, in bytes.</summary>
    public const int BytesMax = 192;

    private static readonly byte[][] s_verdicts = [.. Enum.GetNames<StoreVerdict>().Select(Encoding.ASCII.GetBytes)];

    /// <summary>Writes "Cache-Status: name; ..." with CRLF; returns its length.</summary>
    /// <param name="destination">At least <see cref="BytesMax"/> and the name.</param>
    /// <param name="name">By <see cref="NameOf"/>.</param>
    /// <param name="entry">What was done.</param>
    public static int Write(Span<byte> destination, ReadOnlySpan<byte> name, in CacheStatusEntry entry)
    {
        int length = Append(destination, 0, "Cache-Status: "u8);
        length = Append(destination, length, name);
        if (entry.Forward == ForwardReason.None)
        {
            length = Append(destination, length, "; hit"u8);
        }
        else
        {
            length = Append(destination, length, "; fwd="u8);
            length = Append(destination, length, TokenOf(entry.Forward));
            if (entry.ForwardStatus > 0) length = AppendNumber(destination, length, "; fwd-status="u8, entry.ForwardStatus);
        }
        if (entry.Ttl is { } ttl) length = AppendNumber(destination, length, "; ttl="u8, ttl);
        if (entry.Forward != ForwardReason.None)
        {
            if (entry.IsStored) length = Append(destination, length, "; stored"u8);
            if (entry.IsCollapsed) length = Append(destination, length, "; collapsed"u8);
            if (entry.Verdict != StoreVerdict.Storable)
            {
                length = Append(destination, length, "; detail="u8);
                length = Append(destination, length, s_verdicts[(int)entry.Verdict]);
            }
        }
        return Append(destination, length, "\r\n"u8);
    }

    /// <summary>A cache's name as it stands in the field: a token, else a quoted string.</summary>
    /// <exception cref="ArgumentException">It is empty, longer than 64 characters, or has characters that a string of structured fields cannot have.</exception>
    public static byte[] NameOf(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > 64 || name.Any(c => c is < ' ' or > '~')) throw new ArgumentException("At most 64 printable ASCII characters.", nameof(name));
        bool isToken = (char.IsAsciiLetter(name[0]) || name[0] == '*') && name.All(c => c is ':' or '/' || DirectiveReader.IsToken([(byte)c]));
        return Encoding.ASCII.GetBytes(isToken ? name : '"' + name.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"');
    }

    private static ReadOnlySpan<byte> TokenOf(ForwardReason reason) => reason switch
    {
        ForwardReason.Bypass => "bypass"u8,
        ForwardReason.Method => "method"u8,
        ForwardReason.UriMiss => "uri-miss"u8,
        ForwardReason.VaryMiss => "vary-miss"u8,
        ForwardReason.Request => "request"u8,
        ForwardReason.Stale => "stale"u8,
        ForwardReason.Partial => "partial"u8,
        _ => "miss"u8,
    };

    private static int AppendNumber(Span<byte> destination, int at, ReadOnlySpan<byte> name, long value)
    {
        at = Append(destination, at, name);
        return at + HeadWriter.WriteInt64(destination[at..], value);
    }

    private static int Append(Span<byte> destination, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination[at..]);
        return at + bytes.Length;
    }
}

/// <summary>What the cache did for a request.</summary>
/// <param name="Forward">Why it was forwarded; None for a hit.</param>
/// <param name="Ttl">Seconds for which what is sent is fresh; negative when it is stale; null when it is not stored.</param>
/// <param name="ForwardStatus">Status that the origin answered, where it is another than the client gets; 0 for none.</param>
/// <param name="IsStored">The answer was stored.</param>
/// <param name="IsCollapsed">Another request's answer was used.</param>
/// <param name="Verdict">Why it was not stored: detail.</param>
public readonly record struct CacheStatusEntry(ForwardReason Forward, int? Ttl = null, int ForwardStatus = 0, bool IsStored = false, bool IsCollapsed = false,
    StoreVerdict Verdict = StoreVerdict.Storable);
