using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Tcp;

/// <summary>Where a listener's TCP connections go, and the times granted to them. Immutable.</summary>
internal sealed class TcpSnapshot
{
    private readonly Dictionary<string, ClusterSnapshot>.AlternateLookup<ReadOnlySpan<char>> _exact, _wildcard; // "*.a.b" under "a.b"

    internal TcpSnapshot(TcpConfig config, IReadOnlyDictionary<string, ClusterSnapshot> clusters)
    {
        Default = config.Cluster is { } cluster ? clusters[cluster] : null;
        ReadsName = config.Sni.Count > 0;
        HelloMilliseconds = (long)config.HelloTimeout.TotalMilliseconds;
        IdleMilliseconds = (long)config.IdleTimeout.TotalMilliseconds;
        HalfCloseMilliseconds = Math.Min(IdleMilliseconds, (long)config.HalfCloseTimeout.TotalMilliseconds);
        var exact = new Dictionary<string, ClusterSnapshot>(StringComparer.OrdinalIgnoreCase);
        var wildcard = new Dictionary<string, ClusterSnapshot>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string target) in config.Sni)
        {
            if (name.StartsWith("*.", StringComparison.Ordinal)) wildcard.Add(name[2..], clusters[target]);
            else exact.Add(name, clusters[target]);
        }
        _exact = exact.GetAlternateLookup<ReadOnlySpan<char>>();
        _wildcard = wildcard.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The cluster of all connections, or of those that match no name; null where these are closed.</summary>
    internal ClusterSnapshot? Default { get; }

    /// <summary>Whether the name in the ClientHello decides.</summary>
    internal bool ReadsName { get; }

    internal long HelloMilliseconds { get; }
    internal long IdleMilliseconds { get; }

    /// <summary>The limit on silence once one side has ended.</summary>
    internal long HalfCloseMilliseconds { get; }

    /// <summary>The cluster of a client that asks for a name, as it was sent; empty for none.</summary>
    internal ClusterSnapshot? Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > ClientHello.NameLengthMax) return Default;
        Span<char> text = stackalloc char[ClientHello.NameLengthMax];
        text = text[..Encoding.Latin1.GetChars(name, text)];
        if (_exact.TryGetValue(text, out ClusterSnapshot? cluster)) return cluster;
        // As for certificates (RFC 9525 §6.3): the wildcard stands for one whole label.
        int dot = text.IndexOf('.');
        return dot > 0 && _wildcard.TryGetValue(text[(dot + 1)..], out cluster) ? cluster : Default;
    }
}
