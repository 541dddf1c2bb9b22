namespace LoadBalancer.Core.Protection.Rules;

/// <summary>
/// A path as destinations see it that decode more than they must: all percent-encodings decoded, backslashes as slashes, slashes merged, dot segments removed. Rules look at
/// it beside the path that is forwarded, so that "/wp-admin" is not passed by "/wp-admin%2Fx", "//wp-admin/x" or "/a%2F..%2Fwp-admin/x".
/// </summary>
internal static class PlainPath
{
    /// <summary>Whether it may be another than the normal path.</summary>
    internal static bool Differs(ReadOnlySpan<byte> path) => path.IndexOfAny((byte)'%', (byte)'\\') >= 0 || path.IndexOf("//"u8) >= 0;

    /// <summary>Writes it; returns its length.</summary>
    /// <param name="path">A normal path: its percent-encodings are well-formed.</param>
    /// <param name="destination">At least as long.</param>
    internal static int Write(ReadOnlySpan<byte> path, Span<byte> destination)
    {
        int length = 0;
        for (int i = 0; i < path.Length; i++)
        {
            byte c = path[i];
            if (c == '%' && i + 2 < path.Length)
            {
                c = (byte)(Hex(path[i + 1]) * 16 + Hex(path[i + 2]));
                i += 2;
            }
            if (c == '\\') c = (byte)'/';
            if (c == '/' && length > 0 && destination[length - 1] == '/') continue;
            destination[length++] = c;
        }
        return RemoveDots(destination[..length]);
    }

    private static int Hex(byte digit) => char.IsAsciiDigit((char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    // RFC 3986 §5.2.4, in place. Not PathNormalizer: what was decoded may have a "%" that is none any more.
    private static int RemoveDots(Span<byte> path)
    {
        int written = 0, read = 0;
        while (read < path.Length)
        {
            int next = path[(read + 1)..].IndexOf((byte)'/');
            int end = next < 0 ? path.Length : read + 1 + next;
            ReadOnlySpan<byte> segment = path[read..end];
            bool isParent = segment.SequenceEqual("/.."u8);
            if (isParent || segment.SequenceEqual("/."u8))
            {
                if (isParent) written = Math.Max(path[..written].LastIndexOf((byte)'/'), 0);
                if (end == path.Length) path[written++] = (byte)'/';
            }
            else
            {
                segment.CopyTo(path[written..]);
                written += segment.Length;
            }
            read = end;
        }
        return written;
    }
}
