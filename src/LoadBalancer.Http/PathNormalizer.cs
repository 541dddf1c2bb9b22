namespace LoadBalancer.Http;

/// <summary>
/// One form for each path, so that the path that rules see is the path that is forwarded: percent-encoded unreserved characters are
/// decoded, hexadecimal digits are upper case (RFC 3986 §6.2.2), dot segments are removed (§5.2.4). "%2F" and "%5C" stay encoded and
/// double slashes stay double, since those mean something to some servers.
/// </summary>
public static class PathNormalizer
{
    /// <summary>Whether <see cref="Normalize"/> could change the path. Hot path: per request.</summary>
    public static bool NeedsNormalizing(ReadOnlySpan<byte> path) => path.Contains((byte)'%') || path.IndexOf("/."u8) >= 0;

    /// <summary>Whether each '%' begins two hexadecimal digits that are not zero.</summary>
    internal static bool IsEncodingValid(ReadOnlySpan<byte> path)
    {
        for (int at; (at = path.IndexOf((byte)'%')) >= 0; path = path[(at + 3)..])
        {
            if (at + 2 >= path.Length) return false;
            int high = Characters.HexValue(path[at + 1]), low = Characters.HexValue(path[at + 2]);
            if (high < 0 || low < 0 || (high | low) == 0) return false;
        }
        return true;
    }

    /// <summary>Writes the normal form, which is never longer than the path, and returns its length; -1 for a malformed encoding.</summary>
    public static int Normalize(ReadOnlySpan<byte> path, Span<byte> destination)
    {
        if (!IsEncodingValid(path)) return -1;
        int length = 0;
        for (int i = 0; i < path.Length; i++)
        {
            byte c = path[i];
            if (c == '%')
            {
                byte decoded = (byte)(Characters.HexValue(path[i + 1]) << 4 | Characters.HexValue(path[i + 2]));
                if (IsUnreserved(decoded)) destination[length++] = decoded;
                else
                {
                    destination[length++] = (byte)'%';
                    destination[length++] = Upper(path[i + 1]);
                    destination[length++] = Upper(path[i + 2]);
                }
                i += 2;
            }
            else destination[length++] = c;
        }
        return RemoveDotSegments(destination[..length]);
    }

    private static bool IsUnreserved(byte c) => char.IsAsciiLetterOrDigit((char)c) || c is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~';

    private static byte Upper(byte c) => c >= 'a' ? (byte)(c - 0x20) : c;

    // In place: what is written never overtakes what is read.
    private static int RemoveDotSegments(Span<byte> path)
    {
        if (path.IsEmpty || path[0] != '/') return path.Length;
        int written = 0;
        for (int at = 0; at < path.Length;)
        {
            int end = path[(at + 1)..].IndexOf((byte)'/');
            end = end < 0 ? path.Length : at + 1 + end;
            ReadOnlySpan<byte> segment = path[(at + 1)..end];
            bool isLast = end == path.Length;
            if (segment.SequenceEqual("."u8))
            {
                if (isLast) path[written++] = (byte)'/';
            }
            else if (segment.SequenceEqual(".."u8))
            {
                written = Math.Max(0, path[..written].LastIndexOf((byte)'/'));
                if (isLast) path[written++] = (byte)'/';
            }
            else
            {
                int length = end - at;
                path.Slice(at, length).CopyTo(path[written..]);
                written += length;
            }
            at = end;
        }
        return written;
    }
}
