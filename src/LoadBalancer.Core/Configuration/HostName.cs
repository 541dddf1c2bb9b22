using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Core.Configuration;

/// <summary>Host names and host patterns, by syntax only.</summary>
internal static class HostName
{
    // The underscore is no host name character by RFC 952, but stands in names people use.
    private static readonly SearchValues<char> LabelCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789ABCDEFabcdef");

    /// <summary>A DNS name: labels of 1 to 63 characters, at most 253 in all, and a last label that is no number, decimal or "0x7f", which would be an IPv4 address.</summary>
    internal static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 253) return false;
        ReadOnlySpan<char> last = default;
        foreach (Range range in name.Split('.'))
        {
            last = name[range];
            if (last.Length is 0 or > 63 || last[0] == '-' || last[^1] == '-' || last.ContainsAnyExcept(LabelCharacters)) return false;
        }
        return last.ContainsAnyExceptInRange('0', '9') && !(last.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && !last[2..].ContainsAnyExcept(HexDigits));
    }

    /// <summary>A fixed Host field: a name or IP address, with or without a port.</summary>
    internal static bool IsValidAuthority(string authority) =>
        TrySplitPort(authority, out ReadOnlySpan<char> host) && IsNameOrIp(host);

    /// <summary>What is wrong with a route's host pattern, as the rest of a sentence; null when nothing is.</summary>
    internal static string? PatternError(string pattern)
    {
        if (pattern.Length == 0) return "is empty; leave \"hosts\" out to match any host";
        if (pattern == "*") return "matches nothing; leave \"hosts\" out to match any host";
        if (pattern.Contains("://", StringComparison.Ordinal) || pattern.Contains('/')) return "is a URL, not a host; expected \"example.com\", \"example.com:8443\" or \"*.example.com\"";
        if (!System.Text.Ascii.IsValid(pattern)) return "has characters outside of ASCII; write the name as it is sent (\"xn--...\")";
        if (pattern[^1] == '.') return $"ends with a dot; did you mean \"{pattern.TrimEnd('.')}\"?";
        if (!TrySplitPort(pattern, out ReadOnlySpan<char> host)) return "has a wrong port; expected 1 to 65535";
        if (host.StartsWith("*."))
        {
            if (host.Length != pattern.Length) return "has a wildcard and a port; expected one of them";
            return IsValid(host[2..]) ? null : "is no wildcard of a valid name; expected \"*.example.com\"";
        }
        if (host.Contains('*')) return "has a wildcard that is not its whole first label; expected \"*.example.com\"";
        return IsNameOrIp(host) ? null : "is neither a valid name nor an IP address; expected \"example.com\", \"example.com:8443\" or \"*.example.com\"";
    }

    private static bool IsNameOrIp(ReadOnlySpan<char> host)
    {
        if (host.Length > 2 && host[0] == '[' && host[^1] == ']')
            return IPAddress.TryParse(host[1..^1], out IPAddress? v6) && v6.AddressFamily == AddressFamily.InterNetworkV6;
        return IsValid(host) || (IPAddress.TryParse(host, out IPAddress? v4) && v4.AddressFamily == AddressFamily.InterNetwork && host.Count('.') == 3);
    }

    private static bool TrySplitPort(string authority, out ReadOnlySpan<char> host)
    {
        host = authority;
        int colon = authority.LastIndexOf(':');
        if (colon < 0 || (authority[0] == '[' && authority[^1] == ']')) return true;
        host = authority.AsSpan(0, colon);
        return int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= 65535;
    }
}
