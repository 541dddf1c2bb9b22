using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Http;

namespace LoadBalancer.Core.AccessLog;

/// <summary>What a route's access log has of bodies. Immutable.</summary>
internal sealed class BodyLogRules(BodyLogConfig config)
{
    internal int RequestBytes { get; } = config.RequestBytes;

    internal int ResponseBytes { get; } = config.ResponseBytes;

    internal Redaction Redaction { get; } = new(config.Redact);
}

/// <summary>How the text of a body is read to find secrets in it.</summary>
internal enum BodyKind : byte
{
    /// <summary>No text, or encoded: nothing of it is written.</summary>
    None,
    Json,
    Form,
    Text,
}

/// <summary>The beginnings of one exchange's bodies. Kept with the exchange; its memory is made once, to the size that the routes ask for.</summary>
internal sealed class BodyLog
{
    internal readonly BodySample Request = new(), Response = new();

    internal BodyLogRules Rules { get; private set; } = null!;

    internal void Begin(BodyLogRules rules)
    {
        Rules = rules;
        Request.Clear();
        Response.Clear();
    }

    /// <summary>Kind of what a head announces.</summary>
    internal static BodyKind KindOf(MessageHead head, ReadOnlySpan<byte> bytes)
    {
        int encoding = head.IndexOf("content-encoding"u8, bytes);
        if (encoding >= 0 && !Ascii.EqualsIgnoreCase(head.ValueOf(encoding, bytes), "identity"u8)) return BodyKind.None;
        int type = head.IndexOf("content-type"u8, bytes);
        return type < 0 ? BodyKind.None : KindOf(head.ValueOf(type, bytes));
    }

    /// <summary>Kind of a media type (RFC 9110 §8.3.1).</summary>
    internal static BodyKind KindOf(ReadOnlySpan<byte> mediaType)
    {
        int end = mediaType.IndexOfAny((byte)';', (byte)' ', (byte)'\t');
        if (end >= 0) mediaType = mediaType[..end];
        int slash = mediaType.IndexOf((byte)'/');
        if (slash < 0) return BodyKind.None;
        ReadOnlySpan<byte> subtype = mediaType[(slash + 1)..];
        int plus = subtype.LastIndexOf((byte)'+');
        ReadOnlySpan<byte> syntax = plus < 0 ? subtype : subtype[(plus + 1)..];
        if (Ascii.EqualsIgnoreCase(syntax, "json"u8) || Ascii.EqualsIgnoreCase(syntax, "x-ndjson"u8)) return BodyKind.Json;
        if (Ascii.EqualsIgnoreCase(syntax, "x-www-form-urlencoded"u8)) return BodyKind.Form;
        bool isText = Ascii.EqualsIgnoreCase(mediaType[..slash], "text"u8) || Ascii.EqualsIgnoreCase(syntax, "xml"u8) || Ascii.EqualsIgnoreCase(syntax, "yaml"u8) || Ascii.EqualsIgnoreCase(syntax, "javascript"u8);
        return isText ? BodyKind.Text : BodyKind.None;
    }
}

/// <summary>The beginning of one body.</summary>
internal sealed class BodySample
{
    private byte[] _bytes = [];
    private int _length, _lengthMax;

    internal BodyKind Kind { get; private set; }

    /// <summary>Whether there was more.</summary>
    internal bool IsCut { get; private set; }

    internal ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    internal void Clear() => Begin(BodyKind.None, 0);

    /// <summary>A body begins, in the place of one that was begun before.</summary>
    internal void Begin(BodyKind kind, int bytesMax)
    {
        Kind = bytesMax == 0 ? BodyKind.None : kind;
        _lengthMax = bytesMax;
        _length = 0;
        IsCut = false;
        if (Kind != BodyKind.None && _bytes.Length < bytesMax) _bytes = new byte[bytesMax];
    }

    internal void Append(ReadOnlySpan<byte> data)
    {
        if (Kind == BodyKind.None) return;
        int count = Math.Min(data.Length, _lengthMax - _length);
        data[..count].CopyTo(_bytes.AsSpan(_length));
        _length += count;
        if (count < data.Length) IsCut = true;
    }
}
