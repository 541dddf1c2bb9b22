using System.Globalization;
using System.Text;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Http1;

/// <summary>The Location of a redirect (RFC 9110 §10.2.2).</summary>
internal static class RedirectLocation
{
    /// <summary>
    /// Replaces the placeholders of <see cref="RedirectConfig.To"/>, which was validated, in one pass: what the client sent is never read as a placeholder.
    /// </summary>
    internal static string Expand(string to, ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        var location = new StringBuilder(to.Length + host.Length + path.Length + query.Length);
        int at = 0;
        for (int open; (open = to.IndexOf('{', at)) >= 0;)
        {
            location.Append(to, at, open - at);
            int close = to.IndexOf('}', open);
            switch (to.AsSpan(open + 1, close - open - 1))
            {
                case "host": location.Append(Encoding.ASCII.GetString(host)); break;
                case "path": AppendPath(location, path); break;
                case "query": AppendEncoded(location, query); break;
            }
            at = close + 1;
        }
        return location.Append(to, at, to.Length - at).ToString();
    }

    /// <summary>The https URL of a resource. 443 is not written (RFC 9110 §4.2.2).</summary>
    internal static string Https(ReadOnlySpan<byte> host, int port, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        var location = new StringBuilder("https://", 32 + host.Length + path.Length + query.Length).Append(Encoding.ASCII.GetString(host));
        if (port != 443) location.Append(CultureInfo.InvariantCulture, $":{port}");
        AppendPath(location, path);
        AppendEncoded(location, query);
        return location.ToString();
    }

    /// <summary>The host of a valid authority: a name, an IPv4 address, or an IPv6 address with its brackets.</summary>
    internal static ReadOnlySpan<byte> WithoutPort(ReadOnlySpan<byte> authority)
    {
        int colon = authority.LastIndexOf((byte)':');
        return colon > authority.LastIndexOf((byte)']') ? authority[..colon] : authority;
    }

    private static void AppendPath(StringBuilder location, ReadOnlySpan<byte> path)
    {
        if (path.SequenceEqual("*"u8)) return; // OPTIONS of the server as a whole: no path
        // "//host/" would leave this site where the target begins with the path: one slash is enough.
        while (path.StartsWith("//"u8)) path = path[1..];
        AppendEncoded(location, path);
    }

    // Targets are accepted with some characters that a URI does not have (RFC 3986 §3.3, §3.4); we send none that is not one.
    private static void AppendEncoded(StringBuilder location, ReadOnlySpan<byte> text)
    {
        foreach (byte b in text)
        {
            if (b is (byte)'{' or (byte)'}' or (byte)'|' or (byte)'[' or (byte)']') location.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            else location.Append((char)b);
        }
    }
}
