using System.Text;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Serving;

/// <summary>A whole request, copied out of the connection's buffers. Knows nothing of how it was framed.</summary>
public sealed class ServedRequest
{
    private readonly KeyValuePair<string, string>[] _fields;

    internal ServedRequest(RequestHead head, ReadOnlySpan<byte> bytes, PeerAddress peer, (int User, int Process) peerIds)
    {
        Peer = peer;
        (PeerUserId, PeerProcessId) = peerIds;
        Method = Text(bytes.Slice(head.MethodStart, head.MethodLength));
        Path = head.IsServerWide ? "*" : head.PathLength == 0 ? "/" : Text(bytes.Slice(head.PathStart, head.PathLength));
        Query = Text(bytes.Slice(head.QueryStart, head.QueryLength));
        Host = Text(bytes.Slice(head.AuthorityStart, head.AuthorityLength));
        _fields = new KeyValuePair<string, string>[head.FieldCount];
        for (int i = 0; i < _fields.Length; i++) _fields[i] = new(Text(head.NameOf(i, bytes)), Text(head.ValueOf(i, bytes)));
    }

    /// <summary>The method, as sent: "GET".</summary>
    public string Method { get; }

    /// <summary>The path, as sent: percent-encoded, not normalised; "*" for the server as a whole.</summary>
    public string Path { get; }

    /// <summary>The query with its question mark, as sent; empty without one.</summary>
    public string Query { get; }

    /// <summary>Host and port that the client meant; empty where HTTP/1.0 named none.</summary>
    public string Host { get; }

    /// <summary>The body, without framing.</summary>
    public ReadOnlyMemory<byte> Body { get; internal set; }

    /// <summary>Who is at the other end.</summary>
    public PeerAddress Peer { get; }

    /// <summary>User id of the process at the other end of a Unix socket; -1 for TCP, and where the system does not tell.</summary>
    public int PeerUserId { get; }

    /// <summary>Id of the process that has connected to a Unix socket; -1 for TCP, and where the system does not tell. It may have ended, or handed the socket on.</summary>
    public int PeerProcessId { get; }

    /// <summary>All field lines, in the order in which they came.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields => _fields;

    /// <summary>The value of a field, several lines of it joined by ", " (RFC 9110 §5.3); null when there is none.</summary>
    public string? Field(string name)
    {
        string? value = null;
        foreach ((string key, string text) in _fields)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase)) value = value is null ? text : $"{value}, {text}";
        return value;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
