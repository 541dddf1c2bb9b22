using System.Net;

namespace LoadBalancer.Admin.Routing;

/// <summary>
/// Whether a request that needs no token was meant for this listener. A page of another site can have its own name lead to this machine (DNS rebinding), and then asks as if
/// it were ours; but its name has a dot, and is no address.
/// </summary>
internal static class HostCheck
{
    internal static bool IsOurs(string host)
    {
        string name = host;
        if (host.StartsWith('[')) name = host[1..Math.Max(1, host.IndexOf(']', StringComparison.Ordinal))];
        else if (host.LastIndexOf(':') is >= 0 and int colon) name = host[..colon];
        return !name.Contains('.', StringComparison.Ordinal) || IPAddress.TryParse(name, out _) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }
}
