using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Requests;

/// <summary>Writes the JSON that the text of a parameter stands for. Reused by one thread.</summary>
internal sealed class JsonText
{
    private const int Kept = 64 * 1024;

    private byte[] _buffer = new byte[1024];
    private int _length;

    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    internal void Clear()
    {
        _length = 0;
        if (_buffer.Length > Kept) _buffer = new byte[1024];
    }

    internal void Raw(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        _length += json.Length;
    }

    internal void Raw(char c)
    {
        Room(1)[0] = (byte)c;
        _length++;
    }

    /// <summary>A comma, unless an array or object begins here.</summary>
    internal void Separate()
    {
        if (_length > 0 && _buffer[_length - 1] is not ((byte)'[' or (byte)'{' or (byte)':')) Raw(',');
    }

    /// <summary>A string of text that is already decoded.</summary>
    internal void String(ReadOnlySpan<byte> text)
    {
        Raw('"');
        Span<byte> room = Room(text.Length * 6 + 1);
        int at = 0;
        foreach (byte c in text)
        {
            if (c is (byte)'"' or (byte)'\\')
            {
                room[at++] = (byte)'\\';
                room[at++] = c;
            }
            else if (c < 0x20)
            {
                "\\u00"u8.CopyTo(room[at..]);
                room[at + 4] = (byte)(c < 0x10 ? '0' : '1');
                room[at + 5] = "0123456789abcdef"u8[c & 15];
                at += 6;
            }
            else
            {
                room[at++] = c;
            }
        }
        _length += at;
        Raw('"');
    }

    /// <summary>One value of the types that a schema allows. <paramref name="asText"/>: a string, where it may be one, even if it could be something else.</summary>
    internal void Scalar(ReadOnlySpan<byte> text, KindSet kinds, bool asText)
    {
        bool isText = asText && (kinds & KindSet.String) != 0;
        if (!isText)
        {
            if ((kinds & (KindSet.Number | KindSet.Integer)) != 0 && IsNumber(text))
            {
                Raw(text);
                return;
            }
            if (((kinds & KindSet.Boolean) != 0 && (text.SequenceEqual("true"u8) || text.SequenceEqual("false"u8))) || ((kinds & KindSet.Null) != 0 && text.SequenceEqual("null"u8)))
            {
                Raw(text);
                return;
            }
            if ((kinds & KindSet.Null) != 0 && text.IsEmpty && (kinds & KindSet.String) == 0)
            {
                Raw("null"u8);
                return;
            }
        }
        String(text);
    }

    private static bool IsNumber(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return false;
        int at = text[0] == '-' ? 1 : 0;
        int digits = Digits(text, ref at);
        if (digits == 0 || (digits > 1 && text[at - digits] == '0')) return false;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (Digits(text, ref at) == 0) return false;
        }
        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            at++;
            if (at < text.Length && text[at] is (byte)'+' or (byte)'-') at++;
            if (Digits(text, ref at) == 0) return false;
        }
        return at == text.Length;
    }

    private static int Digits(ReadOnlySpan<byte> text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit((char)text[at])) at++;
        return at - start;
    }

    private Span<byte> Room(int bytes)
    {
        if (_buffer.Length - _length < bytes) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes));
        return _buffer.AsSpan(_length);
    }
}
