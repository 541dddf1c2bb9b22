using System.Text;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>
/// Entity tags of translated responses: the destination's with a suffix, so that the tag of one version is never taken for one of the other (RFC 9110 §8.8.3: a tag is of one
/// representation). Weak tags stay weak.
/// </summary>
internal sealed class EntityTags(string suffix)
{
    private readonly byte[] _suffix = Encoding.ASCII.GetBytes(suffix);

    /// <summary>Gives the tag of a response the suffix.</summary>
    internal void Mark(HeaderFields fields)
    {
        if (!fields.TryGet("etag"u8, out ReadOnlySpan<byte> tag)) return;
        if (tag.Length < 2 || tag[^1] != '"' || fields.CountOf("etag"u8) != 1)
        {
            fields.Remove("etag"u8); // no tag at all, or nobody knows which
            return;
        }
        Span<byte> marked = stackalloc byte[512];
        if (tag.Length + _suffix.Length > marked.Length)
        {
            fields.Remove("etag"u8);
            return;
        }
        fields.Set("etag"u8, marked[..WriteMarked(tag, marked)]);
    }

    /// <summary>
    /// Takes the suffix from the tags of a condition. Where all tags of this version have it, one without is of another: it gets the suffix, so that it is none that the destination knows.
    /// </summary>
    internal void Unmark(HeaderFields fields, ReadOnlySpan<byte> name, bool isTranslated)
    {
        int index = fields.IndexOf(name);
        if (index < 0) return;
        byte[] value = fields.CountOf(name) == 1 ? fields.ValueAt(index).ToArray() : Encoding.Latin1.GetBytes(fields.Get(Encoding.ASCII.GetString(name))!);
        if (value.AsSpan().SequenceEqual("*"u8)) return;
        byte[] output = new byte[value.Length + (value.AsSpan().Count((byte)'"') / 2 + 1) * (_suffix.Length + 1)];
        int length = 0;
        ReadOnlySpan<byte> rest = value;
        while (true)
        {
            int open = rest.IndexOf((byte)'"');
            int close = open < 0 ? -1 : rest[(open + 1)..].IndexOf((byte)'"');
            if (close < 0)
            {
                rest.CopyTo(output.AsSpan(length));
                length += rest.Length;
                break;
            }
            rest[..open].CopyTo(output.AsSpan(length)); // comma, spaces, W/
            length += open;
            ReadOnlySpan<byte> tag = rest.Slice(open, close + 2);
            if (tag[..^1].EndsWith(_suffix))
            {
                ReadOnlySpan<byte> plain = tag[..(tag.Length - 1 - _suffix.Length)];
                plain.CopyTo(output.AsSpan(length));
                length += plain.Length;
                output[length++] = (byte)'"';
            }
            else if (isTranslated) length += WriteMarked(tag, output.AsSpan(length));
            else
            {
                tag.CopyTo(output.AsSpan(length));
                length += tag.Length;
            }
            rest = rest[(open + close + 2)..];
        }
        fields.Set(name, output.AsSpan(0, length));
    }

    private int WriteMarked(ReadOnlySpan<byte> tag, Span<byte> output)
    {
        tag[..^1].CopyTo(output);
        _suffix.CopyTo(output[(tag.Length - 1)..]);
        output[tag.Length - 1 + _suffix.Length] = (byte)'"';
        return tag.Length + _suffix.Length;
    }
}
