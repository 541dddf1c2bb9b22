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
        set
        {
            if (value is not null) Last = value;
            Volatile.Write(ref _current, value);
        }
    }

    /// <summary>The last that was <see cref="Current"/>: for who still stands in the queue of an address that is given up.</summary>
    internal ListenerSnapshot? Last { get; private set; }

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

    /// <summary>TLS hand-shakes so far that ended so.</summary>
    internal long Handshakes(HandshakeOutcome outcome) => _counts.Sum(loop => loop is null ? 0 : Volatile.Read(ref loop.Handshakes[(int)outcome]));

    /// <summary>A loop's hand-shake has ended. On its thread.</summary>
    internal void NoteHandshake(int loop, HandshakeOutcome outcome)
    {
        long[] counts = Of(loop).Handshakes;
        Volatile.Write(ref counts[(int)outcome], counts[(int)outcome] + 1);
    }

    private ConnectionCounts Of(int loop) => _counts[loop] ??= new ConnectionCounts();

    private sealed class ConnectionCounts
    {
        internal readonly long[] Handshakes = new long[3];
        internal long Accepted, Open;
    }
}

/// <summary>How a hand-shake ends.</summary>
internal enum HandshakeOutcome : byte
{
    Full,
    Resumed,
    Failed,
}
