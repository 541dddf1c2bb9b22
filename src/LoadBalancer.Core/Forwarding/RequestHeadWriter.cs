using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Tracing;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>Writes the request head that goes to the destination: our own version, our own hop-by-hop fields, the client's end-to-end ones.</summary>
internal static class RequestHeadWriter
{
    private const uint ClientClaims = 1u << (int)KnownField.XForwardedFor | 1u << (int)KnownField.XForwardedProto
        | 1u << (int)KnownField.XForwardedHost | 1u << (int)KnownField.Forwarded;

    // Hot path: per request. 0 allocations.
    internal static void Write(Exchange exchange, DestinationState destination, TransportWriter output)
    {
        ClusterSnapshot cluster = exchange.Cluster!;
        ReadOnlySpan<byte> lines = exchange.Cache is { } cache ? cache.RequestLines : [];
        output.Advance(Write(exchange, cluster, destination, output.GetSpan(SizeMax(exchange, cluster, destination) + lines.Length), lines));
    }

    /// <summary>Room that <see cref="Write(Exchange, ClusterSnapshot, DestinationState, Span{byte}, ReadOnlySpan{byte})"/> may need.</summary>
    internal static int SizeMax(Exchange exchange, ClusterSnapshot cluster, DestinationState destination) =>
        exchange.Request.Length + exchange.Client.ForwardedLines.Length + exchange.Client.CertificateLines.Length + 3 * exchange.Request.AuthorityLength + destination.HostValue.Length
            + (cluster.HostOverride?.Length ?? 0) + exchange.Client.Listener.ViaLine.Length + 512
            + exchange.Client.Listener.RequestIds.LineBytesMax + TraceParent.LineLength;

    /// <summary>The same for any cluster, with lines more. Returns the length.</summary>
    internal static int Write(Exchange exchange, ClusterSnapshot cluster, DestinationState destination, Span<byte> output, ReadOnlySpan<byte> extraLines)
    {
        RequestHead request = exchange.Request;
        Http1Connection client = exchange.Client;
        ListenerSnapshot listener = client.Listener;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        ReadOnlySpan<byte> authority = bytes.Slice(request.AuthorityStart, request.AuthorityLength);
        var head = new HeadBuffer(output);

        AppendRequestLine(ref head, exchange, bytes);

        uint drop = ClientClaims | HeadBuffer.Bit(KnownField.XForwardedLookAlike);
        if (client.OwnsCertificateFields) drop |= HeadBuffer.Bit(KnownField.ClientCertificate);
        bool keepsHost = cluster.KeepsClientHost && request.TargetForm != TargetForm.Absolute && request.HasKnown(KnownField.Host);
        if (!keepsHost)
        {
            drop |= HeadBuffer.Bit(KnownField.Host);
            head.Append("Host: "u8);
            head.Append(cluster.HostOverride is { } fixedHost ? fixedHost
                : cluster.KeepsClientHost && authority.Length > 0 ? authority : destination.HostValue);
            head.Append("\r\n"u8);
        }
        bool isBounded = request.MaxForwards > 0 && request.Method is RequestMethod.Trace or RequestMethod.Options;
        if (isBounded) drop |= HeadBuffer.Bit(KnownField.MaxForwards);
        // RFC 9110 §10.1.1: HTTP/1.0 cannot expect, and without content there is nothing to wait with.
        if (!request.ExpectContinue || !request.HasBody) drop |= HeadBuffer.Bit(KnownField.Expect);
        if (exchange.Trace is { } trace)
        {
            drop |= HeadBuffer.Bit(KnownField.TraceParent);
            // W3C Trace Context §3.3.1: what is of a trace that could not be read belongs to no other.
            if (!trace.IsContinued) drop |= HeadBuffer.Bit(KnownField.TraceState);
        }
        bool hasMarked = exchange.Cache is { DropsConditions: true };
        if (listener.RequestIds.IsForwarded) hasMarked |= listener.RequestIds.Mark(request, bytes);
        head.AppendFields(request, bytes, drop, hasMarked);
        if (isBounded)
        {
            head.Append("Max-Forwards: "u8);
            head.AppendNumber(request.MaxForwards - 1);
            head.Append("\r\n"u8);
        }

        if (request.Framing == MessageFraming.Chunked) head.Append("Transfer-Encoding: chunked\r\n"u8);
        AppendConnection(ref head, request, bytes);
        AppendForwarded(ref head, client, request, bytes, authority, client.ForwardedLines);
        head.Append(client.CertificateLines);
        head.Append(request.MinorVersion == 0 ? listener.ViaLine10 : listener.ViaLine);
        if (listener.RequestIds.IsForwarded) listener.RequestIds.Append(ref head, exchange.Record);
        exchange.Trace?.Append(ref head);
        head.Append(extraLines);
        head.Append("\r\n"u8);
        return head.Length;
    }

    private static void AppendRequestLine(ref HeadBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        RequestHead request = exchange.Request;
        head.Append(bytes.Slice(request.MethodStart, request.MethodLength));
        head.Append((byte)' ');
        if (exchange.NormalizedLength >= 0) head.Append(exchange.NormalizedPath);
        else if (request.PathLength > 0) head.Append(bytes.Slice(request.PathStart, request.PathLength));
        else head.Append(request.IsServerWide ? (byte)'*' : (byte)'/'); // RFC 9112 §3.2.1, §3.2.4
        head.Append(bytes.Slice(request.QueryStart, request.QueryLength));
        head.Append(" HTTP/1.1\r\n"u8);
    }

    private static void AppendConnection(ref HeadBuffer head, RequestHead request, ReadOnlySpan<byte> bytes)
    {
        if (request.AcceptsTrailers)
        {
            head.Append("TE: trailers\r\n"u8);
            head.Append(request.IsUpgrade ? "Connection: TE, Upgrade\r\n"u8 : "Connection: TE\r\n"u8);
        }
        else if (request.IsUpgrade) head.Append("Connection: Upgrade\r\n"u8);
        if (request.IsUpgrade) UpgradeProtocols.Append(ref head, request, bytes);
    }

    private static void AppendForwarded(
        ref HeadBuffer head, Http1Connection client, RequestHead request, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> authority, byte[] forwardedLines)
    {
        ForwardedConfig config = client.Listener.Config.Forwarded;
        // An https target is a claim too; only a trusted peer's gets here.
        bool extends = client.IsTrusted && ((request.Present & ClientClaims) != 0 || request.IsHttpsTarget);
        if (!extends)
        {
            head.Append(forwardedLines);
            if (config.XForwarded && authority.Length > 0)
            {
                head.Append("X-Forwarded-Host: "u8);
                head.Append(authority);
                head.Append("\r\n"u8);
            }
            if (config.Forwarded) AppendForwardedElement(ref head, client, authority, default);
            return;
        }

        Span<byte> address = stackalloc byte[48];
        address = address[..client.Remote.FormatAddress(address)];
        if (config.XForwarded)
        {
            head.Append("X-Forwarded-For: "u8);
            if (AppendValues(ref head, request, bytes, KnownField.XForwardedFor)) head.Append(", "u8);
            head.Append(address);
            head.Append("\r\nX-Forwarded-Proto: "u8);
            if (!AppendValues(ref head, request, bytes, KnownField.XForwardedProto)) head.Append(request.IsHttpsTarget || client.IsEncrypted ? "https"u8 : "http"u8);
            head.Append("\r\nX-Forwarded-Host: "u8);
            if (!AppendValues(ref head, request, bytes, KnownField.XForwardedHost)) head.Append(authority);
            head.Append("\r\n"u8);
        }
        if (config.Forwarded)
        {
            AppendForwardedElement(ref head, client, authority, bytes, request);
        }
    }

    private static void AppendForwardedElement(
        ref HeadBuffer head, Http1Connection client, ReadOnlySpan<byte> authority, ReadOnlySpan<byte> bytes, RequestHead? request = null)
    {
        head.Append("Forwarded: "u8);
        if (request is not null && AppendValues(ref head, request, bytes, KnownField.Forwarded)) head.Append(", "u8);
        Span<byte> address = stackalloc byte[48];
        address = address[..client.Remote.FormatAddress(address)];
        // RFC 7239 §6: IPv6 in brackets, and quoted; a peer without address is an obfuscated identifier.
        head.Append("for="u8);
        if (client.Remote.Family == AddressFamily.InterNetworkV6)
        {
            head.Append("\"["u8);
            head.Append(address);
            head.Append("]\""u8);
        }
        else if (client.Remote.Family == AddressFamily.InterNetwork) head.Append(address);
        else head.Append("_unix"u8);
        if (authority.Length > 0)
        {
            head.Append(";host=\""u8);
            head.Append(authority);
            head.Append((byte)'"');
        }
        head.Append(client.IsEncrypted || request is { IsHttpsTarget: true } ? ";proto=https\r\n"u8 : ";proto=http\r\n"u8);
    }

    private static bool AppendValues(ref HeadBuffer head, RequestHead request, ReadOnlySpan<byte> bytes, KnownField known)
    {
        bool any = false;
        for (int i = 0; i < request.FieldCount; i++)
        {
            ref FieldLine field = ref request.Fields[i];
            if (field.Known != known || field.ValueLength == 0) continue;
            if (any) head.Append(", "u8);
            head.Append(bytes.Slice(field.ValueStart, field.ValueLength));
            any = true;
        }
        return any;
    }

    /// <summary>The lines that are the same for all requests of a connection whose own claims are not believed.</summary>
    internal static byte[] BuildForwardedLines(Http1Connection client)
    {
        if (!client.Listener.Config.Forwarded.XForwarded) return [];
        Span<byte> buffer = stackalloc byte[128];
        var head = new HeadBuffer(buffer);
        Span<byte> address = stackalloc byte[48];
        head.Append("X-Forwarded-For: "u8);
        head.Append(address[..client.Remote.FormatAddress(address)]);
        head.Append(client.IsEncrypted ? "\r\nX-Forwarded-Proto: https\r\n"u8 : "\r\nX-Forwarded-Proto: http\r\n"u8);
        return buffer[..head.Length].ToArray();
    }
}
