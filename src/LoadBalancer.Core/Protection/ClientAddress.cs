using LoadBalancer.Core.Http1;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Protection;

/// <summary>
/// Who a request is from: the peer, or where that is a trusted proxy, the last one in its X-Forwarded-For (else its Forwarded) that is no trusted proxy itself, as with
/// nginx's real_ip_recursive. What stands further to the left anybody can have written. No allocation.
/// </summary>
internal static class ClientAddress
{
    // Proxies one behind the other. A client within the trusted blocks could make it long.
    private const int HopsMax = 32;

    /// <summary>The client's address. Its port is that of the peer, or 0 where a proxy told the address.</summary>
    internal static PeerAddress Of(Http1Connection client, RequestHead request, ReadOnlySpan<byte> bytes)
    {
        if (!client.IsTrusted) return client.Remote;
        // With both the first counts: a proxy that keeps only one passes the other on as the client wrote it, and nearly all keep this one.
        KnownField field = request.HasKnown(KnownField.XForwardedFor) ? KnownField.XForwardedFor : KnownField.Forwarded;
        return request.HasKnown(field) ? LastUntrusted(client.Remote, client.Listener.Trusted!, request, bytes, field) : client.Remote;
    }

    private static PeerAddress LastUntrusted(PeerAddress peer, CidrSet trusted, RequestHead request, ReadOnlySpan<byte> bytes, KnownField known)
    {
        PeerAddress found = peer;
        int hops = 0;
        for (int i = request.FieldCount - 1; i >= 0; i--)
        {
            if (request.Fields[i].Known != known) continue;
            ReadOnlySpan<byte> rest = request.ValueOf(i, bytes);
            while (!rest.IsEmpty)
            {
                int comma = rest.LastIndexOf((byte)',');
                ReadOnlySpan<byte> hop = rest[(comma + 1)..].Trim(" \t"u8);
                rest = comma < 0 ? default : rest[..comma];
                if (hop.IsEmpty) continue; // RFC 9110 §5.6.1.2: empty elements do not count
                // "unknown", or anything else that is no address: who named it is the nearest that is known.
                if (++hops > HopsMax || !TryParse(known == KnownField.Forwarded ? ForOf(hop) : hop, out PeerAddress address)) return found;
                found = address;
                if (!trusted.Contains(address)) return found;
            }
        }
        return found;
    }

    // RFC 7239 §4. A comma or semicolon within quotes cannot be part of an address: such an element is none.
    private static ReadOnlySpan<byte> ForOf(ReadOnlySpan<byte> element)
    {
        foreach (Range range in element.Split((byte)';'))
        {
            ReadOnlySpan<byte> pair = element[range].Trim(" \t"u8);
            if (pair.Length > 4 && pair[3] == '=' && System.Text.Ascii.EqualsIgnoreCase(pair[..3], "for"u8)) return pair[4..].Trim((byte)'"');
        }
        return default;
    }

    /// <summary>"192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". The port is not kept.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out PeerAddress address)
    {
        address = default;
        Span<byte> parsed = stackalloc byte[16];
        if (text.StartsWith("["u8))
        {
            int end = text.IndexOf((byte)']');
            if (end < 0 || (end + 1 < text.Length && text[end + 1] != ':') || !AddressText.TryParseIPv6(text[1..end], parsed)) return false;
        }
        else if (text.Count((byte)':') > 1)
        {
            if (!AddressText.TryParseIPv6(text, parsed)) return false;
        }
        else
        {
            int colon = text.IndexOf((byte)':');
            if (!AddressText.TryParseIPv4(colon < 0 ? text : text[..colon], parsed)) return false;
            parsed = parsed[..4];
        }
        address = PeerAddress.FromBytes(parsed, 0);
        return true;
    }
}
