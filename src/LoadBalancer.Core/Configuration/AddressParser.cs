using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Core.Configuration;

/// <summary>Reads the address syntax of listeners and destinations. Opens no socket and asks no DNS.</summary>
public static class AddressParser
{
    /// <summary>A listener's address: ":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "unix:/path".</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static EndPoint ParseListener(string address) => Parse(address, isListener: true, out string problem) ?? throw new FormatException(problem);

    /// <summary>A destination's address: "host:80", "10.0.0.1:80", "[::1]:80", "unix:/path".</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static EndPoint ParseDestination(string address) => Parse(address, isListener: false, out string problem) ?? throw new FormatException(problem);

    /// <summary>What is wrong with an address, or null.</summary>
    public static string? Check(string address, bool isListener) => Parse(address, isListener, out string problem) is null ? problem : null;

    private static EndPoint? Parse(string address, bool isListener, out string problem)
    {
        string expected = isListener ? "\":8080\", \"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/path\"" : "\"host:80\", \"10.0.0.1:80\", \"[::1]:80\" or \"unix:/path\"";
        problem = $"expected {expected}, not \"{address}\"";
        if (address.StartsWith("unix:", StringComparison.Ordinal))
        {
            string path = address["unix:".Length..];
            if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) > 107) return null;
            return new UnixDomainSocketEndPoint(path);
        }
        int colon = address.LastIndexOf(':');
        if (colon < 0)
        {
            problem += ": the port is missing";
            return null;
        }
        string host = address[..colon];
        if (!int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65535 || (port == 0 && !isListener))
        {
            problem += ": the port is a number from 1 to 65535";
            return null;
        }
        if (host.Length == 0)
        {
            return isListener ? new IPEndPoint(IPAddress.IPv6Any, port) : null;
        }
        if (host is ['[', .., ']'])
        {
            if (!IPAddress.TryParse(host[1..^1], out IPAddress? v6) || v6.AddressFamily != AddressFamily.InterNetworkV6) return null;
            return new IPEndPoint(v6, port);
        }
        if (host.Contains(':', StringComparison.Ordinal))
        {
            problem += ": an IPv6 address stands in brackets";
            return null;
        }
        if (IPAddress.TryParse(host, out IPAddress? v4))
        {
            return new IPEndPoint(v4, port);
        }
        if (host == "localhost")
        {
            return isListener ? new IPEndPoint(IPAddress.Loopback, port) : new DnsEndPoint(host, port);
        }
        if (isListener)
        {
            problem += ": a listener's host is an IP address or localhost";
            return null;
        }
        if (Uri.CheckHostName(host) != UriHostNameType.Dns) return null;
        return new DnsEndPoint(host, port);
    }
}
