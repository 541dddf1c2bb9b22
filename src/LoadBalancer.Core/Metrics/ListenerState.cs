using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Metrics;

/// <summary>
/// A bound address while it is served: what stays when the configuration changes, while its <see cref="ListenerSnapshot"/> is replaced. Any thread reads; who changes the
/// configuration writes.
/// </summary>
/// <param name="loopCount">Number of event loops.</param>
internal sealed class ListenerState(int loopCount)
{
    private readonly ConnectionCounts?[] _counts = new ConnectionCounts?[loopCount]; // each element is made by its loop
    private ListenerSnapshot? _current;

    /// <summary>What new connections and requests go by; null when the address is not served any more, or not yet.</summary>
    internal ListenerSnapshot? Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }

    /// <summary>The sockets; null before they are bound.</summary>
    internal TransportListener? Socket { get; set; }

    /// <summary>Connections accepted so far.</summary>
    internal long Accepted => _counts.Sum(loop => loop is null ? 0 : Volatile.Read(ref loop.Accepted));

    /// <summary>Connections open now.</summary>
    internal long Open => _counts.Sum(loop => loop is null ? 0 : Volatile.Read(ref loop.Open));

    /// <summary>A loop has accepted a connection. On its thread.</summary>
    internal void NoteAccepted(int loop)
    {
        ConnectionCounts counts = Of(loop);
        Volatile.Write(ref counts.Accepted, counts.Accepted + 1);
    }

    /// <summary>A connection of a loop, or one of its stages, has begun (1) or ended (-1). On its thread.</summary>
    internal void NoteOpen(int loop, int change)
    {
        ConnectionCounts counts = Of(loop);
        Volatile.Write(ref counts.Open, counts.Open + change);
    }

    private ConnectionCounts Of(int loop) => _counts[loop] ??= new ConnectionCounts();

    private sealed class ConnectionCounts
    {
        internal long Accepted, Open;
    }
}
