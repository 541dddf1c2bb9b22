using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Reads addresses of listeners and destinations: "host:port", ":port", "[v6]:port", "unix:/path". Asks no DNS: a name stays a
/// <see cref="DnsEndPoint"/>. Errors are the rest of a sentence that starts with the address.
/// </summary>
public static class AddressParser
{
    // sockaddr_un.sun_path holds 108 bytes on Linux, the closing zero included.
    private const int UnixPathBytesMax = 107;
    private const string ListenerForms = "expected \"host:port\", \":port\", \"[::1]:port\" or \"unix:/path\"";
    private const string DestinationForms = "expected \"host:port\", \"[::1]:port\" or \"unix:/path\"";
    private const string Https = "https://";

    /// <summary>
    /// Reads a listener's address. ":port" becomes <see cref="IPAddress.IPv6Any"/>, "localhost" the IPv4 loopback address; port 0 asks
    /// the system for a free one. Yields an <see cref="IPEndPoint"/> or a <see cref="UnixDomainSocketEndPoint"/>.
    /// </summary>
    public static bool TryParseListener(string address, out EndPoint? endPoint, out string? error)
    {
        endPoint = null;
        if (TryParseUnix(address, out bool isUnix, out endPoint, out error)) return true;
        if (isUnix || !TrySplit(address, ListenerForms, out string host, out int port, out error)) return false;

        if (host.Length == 0) endPoint = new IPEndPoint(IPAddress.IPv6Any, port);
        else if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) endPoint = new IPEndPoint(IPAddress.Loopback, port);
        else if (TryParseIp(host, out IPAddress? ip)) endPoint = new IPEndPoint(ip!, port);
        else if (host == "*") error = $"has \"*\" as host; did you mean \":{port}\"?";
        else error = "has a host that is neither an IP address nor \"localhost\"; a listener does not look names up";
        return endPoint is not null;
    }

    /// <summary>As <see cref="TryParseDestination(string, out EndPoint?, out string?)"/>, also "https://host" (port 443) and "https://host:port".</summary>
    /// <param name="address">As configured.</param>
    /// <param name="endPoint">What to connect to.</param>
    /// <param name="isHttps">Whether the address itself asks for TLS.</param>
    /// <param name="error">What is wrong.</param>
    public static bool TryParseDestination(string address, out EndPoint? endPoint, out bool isHttps, out string? error)
    {
        isHttps = address.StartsWith(Https, StringComparison.OrdinalIgnoreCase);
        if (!isHttps) return TryParseDestination(address, out endPoint, out error);
        endPoint = null;
        string authority = address[Https.Length..];
        int end = authority.AsSpan().IndexOfAny('/', '?', '#');
        if (end >= 0 && end == authority.Length - 1 && authority[end] == '/') authority = authority[..end];
        else if (end >= 0)
        {
            error = $"has a path, which requests bring themselves; did you mean \"{Https}{authority[..end]}\"?";
            return false;
        }
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            error = "has a user, which does not belong into an address";
            return false;
        }
        bool hasPort = authority.StartsWith('[') ? authority.Contains("]:", StringComparison.Ordinal) : authority.Contains(':', StringComparison.Ordinal);
        return TryParseDestination(hasPort ? authority : authority + ":443", out endPoint, out error);
    }

    /// <summary>
    /// Reads a destination's address. Yields an <see cref="IPEndPoint"/>, a <see cref="DnsEndPoint"/> (also for "localhost", which may mean
    /// either loopback address) or a <see cref="UnixDomainSocketEndPoint"/>.
    /// </summary>
    public static bool TryParseDestination(string address, out EndPoint? endPoint, out string? error)
    {
        endPoint = null;
        if (TryParseUnix(address, out bool isUnix, out endPoint, out error)) return true;
        if (isUnix || !TrySplit(address, DestinationForms, out string host, out int port, out error)) return false;

        if (host.Length == 0) error = $"has no host; did you mean \"localhost:{port}\"?";
        else if (port == 0) error = "has port 0; expected 1 to 65535";
        else if (TryParseIp(host, out IPAddress? ip))
        {
            if (ip!.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)) error = "is a wildcard, which can be listened on but not connected to";
            else endPoint = new IPEndPoint(ip, port);
        }
        else if (HostName.IsValid(host)) endPoint = new DnsEndPoint(host, port);
        else error = "has a host that is neither an IP address nor a valid name";
        return endPoint is not null;
    }

    private static bool TryParseUnix(string address, out bool isUnix, out EndPoint? endPoint, out string? error)
    {
        endPoint = null;
        error = null;
        isUnix = address.StartsWith("unix:", StringComparison.Ordinal);
        if (!isUnix) return false;
        string path = address["unix:".Length..];
        if (path.StartsWith("//", StringComparison.Ordinal)) error = $"has slashes of a URL; did you mean \"unix:/{path.TrimStart('/')}\"?";
        else if (path.Length == 0 || path[0] != '/') error = "needs an absolute path, as in \"unix:/run/lb.sock\"";
        else if (Encoding.UTF8.GetByteCount(path) > UnixPathBytesMax) error = $"has a path longer than {UnixPathBytesMax} bytes, the most a Unix socket can have";
        else if (path.AsSpan().ContainsAnyInRange('\0', '\x1f')) error = "has a control character in its path";
        else if (!Socket.OSSupportsUnixDomainSockets) error = "is a Unix socket, which this platform does not have";
        else endPoint = new UnixDomainSocketEndPoint(path);
        return endPoint is not null;
    }

    private static bool TrySplit(string address, string forms, out string host, out int port, out string? error)
    {
        host = "";
        port = 0;
        error = null;
        if (address.Length == 0)
        {
            error = $"is empty; {forms}";
            return false;
        }
        int scheme = address.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            string rest = address[(scheme + 3)..].TrimEnd('/');
            error = $"is a URL, not an address; did you mean \"{(rest.Contains(':') ? rest : rest + (address.StartsWith("https", StringComparison.Ordinal) ? ":443" : ":80"))}\"?";
            return false;
        }

        string portText;
        if (address[0] == '[')
        {
            int close = address.IndexOf(']');
            if (close < 0 || close + 1 >= address.Length || address[close + 1] != ':')
            {
                error = close < 0 ? "has no closing bracket" : $"has no port; {forms}";
                return false;
            }
            host = address[..(close + 1)];
            portText = address[(close + 2)..];
        }
        else
        {
            int colon = address.LastIndexOf(':');
            if (colon < 0)
            {
                bool isPort = int.TryParse(address, NumberStyles.None, CultureInfo.InvariantCulture, out _);
                error = isPort ? $"is only a port; did you mean \":{address}\"?" : $"has no port; {forms}";
                return false;
            }
            if (address.IndexOf(':') != colon)
            {
                error = IPAddress.TryParse(address, out _)
                    ? $"is an IPv6 address without brackets and port; did you mean \"[{address}]:80\"?"
                    : $"has several colons; {forms}";
                return false;
            }
            host = address[..colon];
            portText = address[(colon + 1)..];
        }
        if (int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535) return true;
        error = $"has \"{portText}\" as port; expected 0 to 65535";
        return false;
    }

    // IPAddress.TryParse also takes "1" and "0x7f.1": only the four-part decimal form and bracketed IPv6 are addresses here.
    private static bool TryParseIp(string host, out IPAddress? ip)
    {
        if (host[0] == '[')
            return IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out ip) && ip.AddressFamily == AddressFamily.InterNetworkV6;
        if (IPAddress.TryParse(host, out ip) && ip.AddressFamily == AddressFamily.InterNetwork && ip.ToString() == host) return true;
        ip = null;
        return false;
    }
}
