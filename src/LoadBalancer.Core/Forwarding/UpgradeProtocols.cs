using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// The protocols of an upgrade (RFC 9110 §7.8). h2c is never among them: the two ends would change a protocol that we go on parsing,
/// which is a known way to smuggle requests.
/// </summary>
internal static class UpgradeProtocols
{
    /// <summary>The request's Upgrade field as it is forwarded. Never longer than the lines it stands for.</summary>
    internal static void Append(ref HeadBuffer head, RequestHead request, ReadOnlySpan<byte> bytes)
    {
        head.Append("Upgrade: "u8);
        bool first = true;
        for (int i = 0; i < request.FieldCount; i++)
        {
            if (request.Fields[i].Known != KnownField.Upgrade) continue;
            ReadOnlySpan<byte> value = request.ValueOf(i, bytes);
            foreach (Range range in value.Split((byte)','))
            {
                ReadOnlySpan<byte> protocol = value[range].Trim(" \t"u8);
                if (!IsForwarded(protocol)) continue;
                // No space: with one, a list of many would outgrow the room that was asked for.
                if (!first) head.Append((byte)',');
                head.Append(protocol);
                first = false;
            }
        }
        head.Append("\r\n"u8);
    }

    /// <summary>Whether the 101 in <see cref="Exchange.Response"/> names protocols, and only such as the client asked for and we passed on.</summary>
    internal static bool WereOffered(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        ResponseHead response = exchange.Response;
        if (!exchange.Request.IsUpgrade || !response.IsUpgrade) return false;
        for (int i = 0; i < response.FieldCount; i++)
        {
            if (response.Fields[i].Known != KnownField.Upgrade) continue;
            ReadOnlySpan<byte> value = response.ValueOf(i, bytes);
            foreach (Range range in value.Split((byte)','))
            {
                ReadOnlySpan<byte> protocol = value[range].Trim(" \t"u8);
                if (!protocol.IsEmpty && !IsOffered(exchange, protocol)) return false;
            }
        }
        return true;
    }

    private static bool IsOffered(Exchange exchange, ReadOnlySpan<byte> protocol)
    {
        if (!IsForwarded(protocol)) return false;
        RequestHead request = exchange.Request;
        for (int i = 0; i < request.FieldCount; i++)
        {
            if (request.Fields[i].Known != KnownField.Upgrade) continue;
            ReadOnlySpan<byte> value = request.ValueOf(i, exchange.Head.Span);
            foreach (Range range in value.Split((byte)','))
                if (Ascii.EqualsIgnoreCase(value[range].Trim(" \t"u8), protocol)) return true;
        }
        return false;
    }

    private static bool IsForwarded(ReadOnlySpan<byte> protocol) => !protocol.IsEmpty && !Ascii.EqualsIgnoreCase(protocol, "h2c"u8);
}
