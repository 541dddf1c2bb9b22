using System.Text;

namespace LoadBalancer.Schemas.Requests;

/// <summary>A media type, or a range of them: <c>application/json</c>, <c>application/*</c>, <c>application/*+json</c>, <c>*/*</c>. Parameters do not count.</summary>
internal sealed class MediaRange
{
    private readonly byte[] _type;
    private readonly byte[] _subtype;

    private MediaRange(string text, byte[] type, byte[] subtype)
    {
        Text = text;
        _type = type;
        _subtype = subtype;
    }

    internal string Text { get; }

    /// <summary>The more, the fewer types it has.</summary>
    internal int Rank => (_type is [(byte)'*'] ? 0 : 4) + (_subtype is [(byte)'*'] ? 0 : _subtype[0] == '*' ? 1 : 2);

    internal static MediaRange? Parse(string text)
    {
        byte[] utf8 = Encoding.ASCII.GetBytes(text.ToLowerInvariant());
        if (!TrySplit(utf8, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> subtype)) return null;
        return type.SequenceEqual("*"u8) && !subtype.SequenceEqual("*"u8) ? null : new MediaRange(text, type.ToArray(), subtype.ToArray());
    }

    // Hot path: per request with a body. 0 allocations.
    internal bool Contains(ReadOnlySpan<byte> contentType)
    {
        if (!TrySplit(contentType, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> subtype)) return false;
        if (_type is not [(byte)'*'] && !Ascii.EqualsIgnoreCase(_type, type)) return false;
        if (_subtype is [(byte)'*']) return true;
        if (_subtype[0] != '*') return Ascii.EqualsIgnoreCase(_subtype, subtype);
        ReadOnlySpan<byte> suffix = _subtype.AsSpan(1);
        return subtype.Length > suffix.Length && Ascii.EqualsIgnoreCase(subtype[^suffix.Length..], suffix);
    }

    internal static bool IsJson(ReadOnlySpan<byte> contentType) =>
        TrySplit(contentType, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> subtype)
        && (Ascii.EqualsIgnoreCase(subtype, "json"u8) ? Ascii.EqualsIgnoreCase(type, "application"u8) || Ascii.EqualsIgnoreCase(type, "text"u8)
            : subtype.Length > 5 && Ascii.EqualsIgnoreCase(subtype[^5..], "+json"u8));

    private static bool TrySplit(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> subtype)
    {
        int end = text.IndexOf((byte)';');
        if (end >= 0) text = text[..end];
        text = text.Trim(" \t"u8);
        int slash = text.IndexOf((byte)'/');
        type = slash < 0 ? default : text[..slash];
        subtype = slash < 0 ? default : text[(slash + 1)..];
        return !type.IsEmpty && !subtype.IsEmpty && subtype.IndexOf((byte)'/') < 0;
    }
}
