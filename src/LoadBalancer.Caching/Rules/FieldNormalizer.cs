using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// Brings the value of a request field into one form for comparison only (RFC 9111 §4.1): lines are joined, white space around commas goes, and of Accept-Encoding and
/// Accept-Language what is known to mean the same becomes the same. What is forwarded is never changed. Never allocates.
/// </summary>
internal static class FieldNormalizer
{
    private const int ElementsMax = 32;

    /// <summary>Writes the value; -1 when it does not fit.</summary>
    /// <param name="destination">For the value.</param>
    /// <param name="name">Of the field, in lower case.</param>
    /// <param name="request">The request.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="first">Index of the first line of the field.</param>
    internal static int Write(Span<byte> destination, ReadOnlySpan<byte> name, RequestHead request, ReadOnlySpan<byte> bytes, int first)
    {
        int length = 0;
        for (int i = first; i < request.FieldCount; i++)
        {
            if (i != first && (request.Fields[i].NameLength != name.Length || !Ascii.EqualsIgnoreCase(request.NameOf(i, bytes), name))) continue;
            if (i != first)
            {
                if (length == destination.Length) return -1;
                destination[length++] = (byte)',';
            }
            int written = WriteLine(destination[length..], request.ValueOf(i, bytes));
            if (written < 0) return -1;
            length += written;
        }
        if (name.SequenceEqual("accept-encoding"u8)) return SortCodings(destination[..Lower(destination[..length])]);
        return name.SequenceEqual("accept-language"u8) ? Lower(destination[..length]) : length;
    }

    // Without white space around commas, but for those within quoted strings.
    private static int WriteLine(Span<byte> destination, ReadOnlySpan<byte> value)
    {
        int length = 0;
        bool isQuoted = false;
        for (int i = 0; i < value.Length; i++)
        {
            byte b = value[i];
            if (b == '"') isQuoted = !isQuoted;
            if (!isQuoted)
            {
                if (b is (byte)' ' or (byte)'\t' && length > 0 && destination[length - 1] == ',') continue;
                if (b == ',') while (length > 0 && destination[length - 1] is (byte)' ' or (byte)'\t') length--;
            }
            if (length == destination.Length) return -1;
            destination[length++] = b;
            if (isQuoted && b == '\\' && i + 1 < value.Length)
            {
                if (length == destination.Length) return -1;
                destination[length++] = value[++i];
            }
        }
        return length;
    }

    // Lower case, no white space at all, and no weight that is 1: these fields have neither case (RFC 9110 §8.4.1, RFC 5646 §2.1.1) nor quoted strings.
    private static int Lower(Span<byte> value)
    {
        int length = 0;
        for (int i = 0; i < value.Length; i++)
        {
            byte b = value[i];
            if (b is (byte)' ' or (byte)'\t') continue;
            if (b == ',') length = WithoutFullWeight(value[..length]);
            value[length++] = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
        }
        return WithoutFullWeight(value[..length]);
    }

    private static int WithoutFullWeight(Span<byte> value)
    {
        ReadOnlySpan<byte> trimmed = value;
        int at = trimmed.LastIndexOf(";q=1"u8);
        if (at < 0) return value.Length;
        ReadOnlySpan<byte> rest = trimmed[(at + 4)..];
        return rest.IsEmpty || (rest[0] == '.' && rest.Length <= 4 && !rest[1..].ContainsAnyExcept((byte)'0')) ? at : value.Length;
    }

    // The order of codings means nothing (RFC 9110 §12.5.3): weights do. Insertion sort; longer lists than clients send stay as they are.
    private static int SortCodings(Span<byte> value)
    {
        Span<(int Start, int Length)> elements = stackalloc (int, int)[ElementsMax];
        int count = 0;
        ReadOnlySpan<byte> source = value;
        foreach (Range range in source.Split((byte)','))
        {
            (int start, int elementLength) = range.GetOffsetAndLength(source.Length);
            if (elementLength == 0) continue;
            if (count == ElementsMax) return value.Length;
            int at = count;
            while (at > 0 && source.Slice(elements[at - 1].Start, elements[at - 1].Length).SequenceCompareTo(source.Slice(start, elementLength)) > 0)
            {
                elements[at] = elements[at - 1];
                at--;
            }
            elements[at] = (start, elementLength);
            count++;
        }
        Span<byte> sorted = stackalloc byte[Selection.ValueBytesMax];
        if (value.Length > sorted.Length) return value.Length;
        int length = 0;
        for (int i = 0; i < count; i++)
        {
            if (i > 0) sorted[length++] = (byte)',';
            source.Slice(elements[i].Start, elements[i].Length).CopyTo(sorted[length..]);
            length += elements[i].Length;
        }
        sorted[..length].CopyTo(value);
        return length;
    }
}
