namespace LoadBalancer.Http;

/// <summary>
/// Brings paths into one form, so that a rule about "/admin" cannot be passed with "/%61dmin" or "/x/../admin". Does the normalisation every
/// recipient may do (RFC 3986 §6.2.2) and no more: slashes are not merged, and "%2F" and "%5C" stay as they are, because to
/// the origin they may mean something else.
/// </summary>
public static class PathNormalizer
{
    /// <summary>False when normalising would change nothing; true when it might. Two vector searches.</summary>
    public static bool NeedsNormalizing(ReadOnlySpan<byte> path) => path.Contains((byte)'%') || path.IndexOf("/."u8) >= 0;

    /// <summary>
    /// Writes the normal form: percent-encoded unreserved characters decoded, other encodings in upper case, dot segments removed (never above the
    /// root). The result is never longer than the input; normalising it again changes nothing.
    /// </summary>
    /// <param name="path">A path without query.</param>
    /// <param name="destination">At least as long as the path; may start at the same byte as it, but not overlap it otherwise.</param>
    /// <returns>Length of the result, or -1 for a percent-encoding that is malformed or of NUL; the destination's content is undefined then.</returns>
    /// <exception cref="ArgumentException">The destination is shorter than the path.</exception>
    public static int Normalize(ReadOnlySpan<byte> path, Span<byte> destination)
    {
        if (destination.Length < path.Length) throw new ArgumentException("The destination is shorter than the path.", nameof(destination));
        int length = NormalizeEncoding(path, destination);
        // After decoding: "%2e%2e" is a dot segment too.
        return length <= 0 || destination[0] != '/' ? length : RemoveDotSegments(destination[..length]);
    }

    private static int NormalizeEncoding(ReadOnlySpan<byte> path, Span<byte> destination)
    {
        int written = 0;
        for (; ; )
        {
            int percent = path.IndexOf((byte)'%');
            ReadOnlySpan<byte> plain = percent < 0 ? path : path[..percent];
            plain.CopyTo(destination[written..]);
            written += plain.Length;
            if (percent < 0) return written;
            if (path.Length - percent < 3) return -1;
            int high = Syntax.HexValue(path[percent + 1]);
            int low = Syntax.HexValue(path[percent + 2]);
            if (high < 0 || low < 0 || (high | low) == 0) return -1;
            int octet = high * 16 + low;
            if (char.IsAsciiLetterOrDigit((char)octet) || octet is '-' or '.' or '_' or '~')
            {
                destination[written++] = (byte)octet;
            }
            else
            {
                destination[written] = (byte)'%';
                destination[written + 1] = "0123456789ABCDEF"u8[high];
                destination[written + 2] = "0123456789ABCDEF"u8[low];
                written += 3;
            }
            path = path[(percent + 3)..];
        }
    }

    // RFC 3986 §5.2.4 for a path that starts with '/', in place: what is written never overtakes what is read.
    private static int RemoveDotSegments(Span<byte> path)
    {
        int read = path.IndexOf("/."u8);
        if (read < 0) return path.Length;
        int written = read;
        while (read < path.Length)
        {
            // path[read] is the '/' before a segment.
            int next = path[(read + 1)..].IndexOf((byte)'/');
            int end = next < 0 ? path.Length : read + 1 + next;
            ReadOnlySpan<byte> segment = path[(read + 1)..end];
            bool parent = segment.SequenceEqual(".."u8);
            if (parent || segment.SequenceEqual("."u8))
            {
                if (parent) written = Math.Max(path[..written].LastIndexOf((byte)'/'), 0);
                if (end == path.Length) path[written++] = (byte)'/';
            }
            else
            {
                path[read..end].CopyTo(path[written..]);
                written += end - read;
            }
            read = end;
        }
        return written;
    }
}
