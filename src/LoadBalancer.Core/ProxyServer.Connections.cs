using System.Net.Sockets;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Core;

// Who is connected. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    /// <summary>Most connections that <see cref="ListConnectionsAsync"/> returns.</summary>
    public const int ConnectionsListedMax = 1000;

    // Of a loop at a time, as it serves nobody meanwhile.
    private const int ConnectionsLookedAtMax = 20_000;

    /// <summary>The connections of clients, newest first on each loop. Each loop is asked in turn with what else it does; one that hangs is not waited for beyond the token. Thread-safe.</summary>
    /// <param name="listener">Only of the listener of that name; null for all.</param>
    /// <param name="source">Only of clients in that block: "192.0.2.7", "192.0.2.0/24"; null for all.</param>
    /// <param name="countMax">Most to return, 1 to <see cref="ConnectionsListedMax"/>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ArgumentException">That is no block.</exception>
    public async Task<ConnectionList> ListConnectionsAsync(string? listener, string? source, int countMax, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(countMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMax, ConnectionsListedMax);
        AddressBlock? block = source is null ? null : Block(source);
        LoopContext[] contexts = Volatile.Read(ref _contexts);
        if (contexts.Length == 0) return new([], 0, false);
        int share = (countMax + contexts.Length - 1) / contexts.Length;
        (List<ConnectionView> Found, int Open, bool IsTruncated)[] parts =
            await Task.WhenAll(AskLoops(contexts, context => List(context, listener, block, share))).WaitAsync(cancellationToken).ConfigureAwait(false);
        ConnectionView[] all = [.. parts.SelectMany(part => part.Found)];
        return new(all.Length > countMax ? all[..countMax] : all, parts.Sum(part => part.Open), all.Length > countMax || Array.Exists(parts, part => part.IsTruncated));
    }

    // On the loop's thread.
    private static (List<ConnectionView> Found, int Open, bool IsTruncated) List(LoopContext context, string? listener, AddressBlock? block, int countMax)
    {
        var found = new List<ConnectionView>();
        int lookedAt = 0;
        for (ClientConnection? connection = context.FirstConnection; connection is not null; connection = connection.NextOpen)
        {
            if (lookedAt++ == ConnectionsLookedAtMax) return (found, context.ConnectionCount, true);
            if (listener is not null && connection.Listener.Name != listener) continue;
            if (block is { } within && !IsIn(within, connection.Transport.Remote)) continue;
            if (found.Count == countMax) return (found, context.ConnectionCount, true);
            found.Add(connection.Describe());
        }
        return (found, context.ConnectionCount, false);
    }

    private static bool IsIn(in AddressBlock block, in PeerAddress client) => client.Family switch
    {
        AddressFamily.InterNetwork => block.IsIPv4,
        AddressFamily.InterNetworkV6 => !block.IsIPv4,
        _ => false,
    } && client.AddressBits >= block.First && client.AddressBits <= block.Last;
}
