using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

/// <summary>Puts what policies have made of a message into a head again, which is then parsed as any that comes from outside: everything behind the policies sees one form.</summary>
internal static class PolicyWire
{
    /// <summary>Longest head that policies may make of one.</summary>
    internal const int HeadBytesMax = 160 * 1024;

    /// <summary>What says how a message is framed, and what is about one connection: no business of policies.</summary>
    internal const uint FramingFields = 1u << (int)KnownField.ContentLength | 1u << (int)KnownField.TransferEncoding | 1u << (int)KnownField.Connection
        | 1u << (int)KnownField.KeepAlive | 1u << (int)KnownField.ProxyConnection | 1u << (int)KnownField.Te | 1u << (int)KnownField.Trailer
        | 1u << (int)KnownField.Upgrade | 1u << (int)KnownField.Expect | 1u << (int)KnownField.Http2Settings;

    internal static HeadLimits Limits => new(40 * 1024, HeadBytesMax, HeaderFields.CountMax + 8);

    internal static int RequestBytesMax(RequestContext context, RequestHead original) =>
        context.Method.Length + context.Path.Length + context.Query.Length + 2 * context.Fields.WrittenBytesMax + original.Length + 256;

    /// <summary>Writes a request head. Returns the length.</summary>
    /// <param name="context">What the policies have made of it.</param>
    /// <param name="original">The head that came.</param>
    /// <param name="bytes">Where that stands.</param>
    /// <param name="bodyLength">Length of the content where it is all there; -1 where it comes as it was announced.</param>
    /// <param name="output">Has room for <see cref="RequestBytesMax"/>.</param>
    internal static int WriteRequest(RequestContext context, RequestHead original, ReadOnlySpan<byte> bytes, long bodyLength, Span<byte> output)
    {
        var head = new HeadBuffer(output);
        Append(ref head, context.Method);
        head.Append((byte)' ');
        bool isServerWide = context.Path.SequenceEqual("*"u8);
        if (original.TargetForm == TargetForm.Absolute)
        {
            head.Append(original.IsHttpsTarget ? "https://"u8 : "http://"u8);
            context.Fields.TryGet("host"u8, out ReadOnlySpan<byte> host);
            head.Append(host);
        }
        if (!isServerWide || original.TargetForm != TargetForm.Absolute) head.Append(context.Path);
        if (!context.Query.IsEmpty)
        {
            head.Append((byte)'?');
            head.Append(context.Query);
        }
        head.Append(original.MinorVersion == 0 ? " HTTP/1.0\r\n"u8 : " HTTP/1.1\r\n"u8);
        head.Advance(context.Fields.Write(head.Free));

        if (bodyLength >= 0)
        {
            if (bodyLength > 0 || original.HasBody || original.ContentLength == 0) AppendLength(ref head, bodyLength);
        }
        else
        {
            if (original.Framing == MessageFraming.Chunked) head.Append("Transfer-Encoding: chunked\r\n"u8);
            else if (original.Framing == MessageFraming.ContentLength) AppendLength(ref head, original.ContentLength);
            if (original.ExpectContinue) head.Append("Expect: 100-continue\r\n"u8);
            AppendLines(ref head, original, bytes, KnownField.Trailer);
        }
        if (original.AcceptsTrailers) head.Append("TE: trailers\r\nConnection: TE\r\n"u8);
        if (original.IsUpgrade)
        {
            AppendLines(ref head, original, bytes, KnownField.Upgrade);
            head.Append("Connection: Upgrade\r\n"u8);
        }
        AppendPersistence(ref head, original);
        head.Append("\r\n"u8);
        return head.Length;
    }

    internal static int ResponseBytesMax(ResponseContext context, ResponseHead original) => context.Fields.WrittenBytesMax + original.Length + 256;

    /// <summary>Writes a response head. Returns the length.</summary>
    /// <param name="context">What the policies have made of it.</param>
    /// <param name="original">The head that came.</param>
    /// <param name="bytes">Where that stands.</param>
    /// <param name="bodyLength">Length of the content where it is all there; -1 where it comes as it was announced.</param>
    /// <param name="forgetsLength">Whether the length of content that does not follow is not told.</param>
    /// <param name="output">Has room for <see cref="ResponseBytesMax"/>.</param>
    internal static int WriteResponse(ResponseContext context, ResponseHead original, ReadOnlySpan<byte> bytes, long bodyLength, bool forgetsLength, Span<byte> output)
    {
        var head = new HeadBuffer(output);
        head.Append(original.MinorVersion == 0 ? "HTTP/1.0 "u8 : "HTTP/1.1 "u8);
        head.AppendNumber(context.Status);
        head.Append((byte)' ');
        if (context.IsStatusChanged) Append(ref head, Responses.ReasonPhrase(context.Status));
        else head.Append(bytes.Slice(original.ReasonStart, original.ReasonLength));
        head.Append("\r\n"u8);
        head.Advance(context.Fields.Write(head.Free));
        if (bodyLength >= 0) AppendLength(ref head, bodyLength);
        else if (original.Framing == MessageFraming.Chunked) head.Append("Transfer-Encoding: chunked\r\n"u8);
        else if (original.ContentLength >= 0 && !(forgetsLength && original.Framing == MessageFraming.None)) AppendLength(ref head, original.ContentLength);
        if (original.HasKnown(KnownField.Upgrade))
        {
            AppendLines(ref head, original, bytes, KnownField.Upgrade);
            head.Append("Connection: Upgrade\r\n"u8);
        }
        AppendPersistence(ref head, original);
        head.Append("\r\n"u8);
        return head.Length;
    }

    private static void AppendLength(ref HeadBuffer head, long length)
    {
        head.Append("Content-Length: "u8);
        head.AppendNumber(length);
        head.Append("\r\n"u8);
    }

    private static void AppendPersistence(ref HeadBuffer head, MessageHead original)
    {
        if (!original.KeepAlive) head.Append("Connection: close\r\n"u8);
        else if (original.MinorVersion == 0) head.Append("Connection: keep-alive\r\n"u8);
    }

    private static void AppendLines(ref HeadBuffer head, MessageHead original, ReadOnlySpan<byte> bytes, KnownField known)
    {
        for (int i = 0; i < original.FieldCount; i++)
        {
            ref FieldLine field = ref original.Fields[i];
            if (field.Known == known) head.Append(bytes[field.NameStart..field.LineEnd]);
        }
    }

    private static void Append(ref HeadBuffer head, string ascii) => head.Advance(System.Text.Encoding.ASCII.GetBytes(ascii, head.Free));
}
