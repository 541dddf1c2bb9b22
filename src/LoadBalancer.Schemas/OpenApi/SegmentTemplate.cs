using System.Text;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>One segment of a path template with parameters in it: <c>{id}</c>, <c>{name}.json</c>, <c>{from}-{to}</c>.</summary>
internal sealed class SegmentTemplate
{
    private readonly byte[][] _literals; // before, between and after the parameters

    private SegmentTemplate(string text, byte[][] literals)
    {
        Shape = text;
        _literals = literals;
    }

    /// <summary>The same for templates that differ in the names of parameters alone.</summary>
    internal string Shape { get; }

    internal int Parameters => _literals.Length - 1;

    /// <summary>Bytes that must be there: the more, the more specific.</summary>
    internal int LiteralBytes => _literals.Sum(l => l.Length);

    /// <summary>Null with an error when it is no template; the names of its parameters are added.</summary>
    internal static SegmentTemplate? Parse(string segment, List<string> names, out string error)
    {
        error = "";
        var literals = new List<byte[]>();
        int at = 0;
        while (true)
        {
            int open = segment.IndexOf('{', at);
            if (open < 0) break;
            int close = segment.IndexOf('}', open);
            if (close <= open + 1)
            {
                error = "a { is not closed, or there is no name in it";
                return null;
            }
            if (literals.Count > 0 && open == at)
            {
                error = "two parameters follow each other with nothing between";
                return null;
            }
            literals.Add(Literal(segment[at..open]));
            names.Add(segment[(open + 1)..close]);
            at = close + 1;
        }
        literals.Add(Literal(segment[at..]));
        return new SegmentTemplate(string.Join("{}", literals.Select(l => Encoding.UTF8.GetString(l))), [.. literals]);
    }

    internal static byte[] Literal(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        int length = Requests.PercentText.Decode(utf8, utf8, plusIsSpace: false);
        return length < 0 ? Encoding.UTF8.GetBytes(text) : utf8[..length];
    }

    // Hot path: per request. 0 allocations.
    /// <summary>Matches a segment as it came, and says where its parameters are in it.</summary>
    internal bool TryMatch(ReadOnlySpan<byte> segment, int offset, ref PathValues values)
    {
        if (!segment.StartsWith(_literals[0]) || !segment[_literals[0].Length..].EndsWith(_literals[^1])) return false;
        int at = _literals[0].Length;
        int end = segment.Length - _literals[^1].Length;
        for (int i = 1; i < _literals.Length; i++)
        {
            int length = i == _literals.Length - 1 ? end - at : segment[at..end].IndexOf(_literals[i]);
            if (length < 1) return false;
            values.Add(offset + at, length);
            at += length + _literals[i].Length;
        }
        return true;
    }

}
