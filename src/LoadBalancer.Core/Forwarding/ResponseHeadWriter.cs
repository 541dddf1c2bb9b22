using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Writes the response head that goes to the client.</summary>
internal static class ResponseHeadWriter
{
    // Hot path: per response. 0 allocations.
    /// <summary>Final and interim heads. Decides the framing towards the client, and with it whether its connection can be kept.</summary>
    internal static void Write(Exchange exchange, ReadOnlySpan<byte> bytes, TransportWriter output)
    {
        ResponseHead response = exchange.Response;
        ListenerSnapshot listener = exchange.Client.Listener;
        bool isOldClient = exchange.Request.MinorVersion == 0;
        bool isInterim = response.Status < 200;
        ReadOnlySpan<byte> limits = exchange.Limits is { } holds ? holds.Fields : default;
        var head = new HeadBuffer(output.GetSpan(response.Length + listener.ViaLine.Length + listener.StrictTransportLine.Length + exchange.SetCookie.Length + limits.Length
            + (exchange.Cache is null ? 192 : 192 + CacheExchange.StatusLineBytesMax) + (listener.RequestIds.IsReturned ? listener.RequestIds.LineBytesMax : 0)));

        head.Append("HTTP/1.1 "u8);
        head.AppendNumber(response.Status);
        head.Append((byte)' ');
        head.Append(bytes.Slice(response.ReasonStart, response.ReasonLength));
        head.Append("\r\n"u8);
        bool hasMarked = exchange.Cache is { DropsTags: true };
        if (listener.RequestIds.IsReturned) hasMarked |= listener.RequestIds.Mark(response, bytes);
        // A client that gets ours need not make sense of two sets; where there are none of ours the destination's pass.
        head.AppendFields(response, bytes, listener.OwnResponseFields | (limits.IsEmpty || isInterim ? 0 : HeadBuffer.Bit(KnownField.RateLimit)), hasMarked);

        // RFC 9110 §15.5.22: what a 426 requires is said in Upgrade, and a client that follows is served: see UpgradeProtocols.
        if (response.Status is 101 or 426 && response.HasKnown(KnownField.Upgrade)) AppendUpgrade(ref head, response, bytes);
        if (!isInterim)
        {
            if (response.Framing is MessageFraming.Chunked or MessageFraming.UntilClose)
            {
                // RFC 9112 §6.1: no transfer coding to HTTP/1.0; there the end of the connection is the end of the body.
                if (isOldClient) exchange.KeepClientAlive = false;
                else head.Append("Transfer-Encoding: chunked\r\n"u8);
            }
            if (!exchange.KeepClientAlive) head.Append("Connection: close\r\n"u8);
            else if (isOldClient) head.Append("Connection: keep-alive\r\n"u8);
            if (!response.HasKnown(KnownField.Date)) head.Append(exchange.Context.DateLine);
            if (exchange.Cache is { } cache) head.Advance(cache.WriteStatusLine(head.Free));
        }
        if (!isInterim || response.Status == 101)
        {
            head.Append(exchange.SetCookie);
            head.Append(listener.StrictTransportLine);
            head.Append(limits);
            if (listener.RequestIds.IsReturned) listener.RequestIds.Append(ref head, exchange.Record);
        }
        head.Append(response.MinorVersion == 0 ? listener.ViaLine10 : listener.ViaLine);
        head.Append("\r\n"u8);
        output.Advance(head.Length);
    }

    private static void AppendUpgrade(ref HeadBuffer head, ResponseHead response, ReadOnlySpan<byte> bytes)
    {
        head.Append("Connection: Upgrade\r\n"u8);
        for (int i = 0; i < response.FieldCount; i++)
        {
            ref FieldLine field = ref response.Fields[i];
            if (field.Known != KnownField.Upgrade) continue;
            head.Append(bytes[field.NameStart..field.LineEnd]);
        }
    }
}
