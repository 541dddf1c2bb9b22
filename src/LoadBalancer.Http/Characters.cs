using System.Buffers;

namespace LoadBalancer.Http;

/// <summary>The character classes of RFC 9110 §5.6 and RFC 3986 §2.</summary>
internal static class Characters
{
    internal static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What ends or spoils a field line: every control character but HTAB (RFC 9110 §5.5). CR and LF are among them.</summary>
    internal static readonly SearchValues<byte> Control = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    /// <summary>
    /// Request targets: visible ASCII without what RFC 3986 forbids and smugglers like. '{', '}' and '|' are let through because
    /// widely used clients send them unencoded.
    /// </summary>
    internal static readonly SearchValues<byte> Target =
        SearchValues.Create("!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>reg-name of RFC 3986 §3.2.2 without percent-encoding, which no host needs.</summary>
    internal static readonly SearchValues<byte> HostName =
        SearchValues.Create("-._~!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    internal static readonly SearchValues<byte> Ipv6 = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    internal static int HexValue(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };

    /// <summary>uri-host [":" port] with a non-empty host (RFC 9110 §7.2).</summary>
    internal static bool IsAuthority(ReadOnlySpan<byte> value)
    {
        int hostLength;
        if (!value.IsEmpty && value[0] == '[')
        {
            int close = value.IndexOf((byte)']');
            if (close < 3 || value[1..close].IndexOfAnyExcept(Ipv6) >= 0) return false;
            hostLength = close + 1;
        }
        else
        {
            hostLength = value.IndexOf((byte)':');
            if (hostLength < 0) hostLength = value.Length;
            if (hostLength == 0 || value[..hostLength].IndexOfAnyExcept(HostName) >= 0) return false;
        }
        ReadOnlySpan<byte> rest = value[hostLength..];
        if (rest.IsEmpty) return true;
        if (rest[0] != ':' || rest.Length > 6) return false;
        int port = 0;
        foreach (byte c in rest[1..])
        {
            if (c is < (byte)'0' or > (byte)'9') return false;
            port = port * 10 + c - '0';
        }
        return port <= 65535;
    }

    /// <summary>1*DIGIT that fits a long; -1 otherwise. No sign, no white space, no list.</summary>
    internal static long ParseLength(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.Length > 18) return -1; // 18 digits always fit
        long length = 0;
        foreach (byte c in value)
        {
            if (c is < (byte)'0' or > (byte)'9') return -1;
            length = length * 10 + (c - '0');
        }
        return length;
    }
}
