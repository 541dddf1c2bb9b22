using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Core.Upstream;

/// <summary>Asks the resolver of the system, which tells no TTL: each answer is taken to hold for 30 s.</summary>
public sealed class SystemNameResolver : INameResolver
{
    private static readonly TimeSpan ValidFor = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task<NameAnswer> ResolveAsync(string name, CancellationToken cancellationToken = default)
    {
        try
        {
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(name, cancellationToken).ConfigureAwait(false);
            return addresses.Length > 0 ? new NameAnswer(addresses, ValidFor) : new NameAnswer([], ValidFor, "has no address");
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // Unknown now, or nothing that the resolver takes for a name ("0x0").
            return new NameAnswer([], ValidFor, "cannot be resolved by the system");
        }
    }
}
