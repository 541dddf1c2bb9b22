using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace LoadBalancer.Schemas.Json;

/// <summary>
/// Reads one JSON text (RFC 8259) into nodes. It is strict: no comments, no second value, UTF-8 only. Faults are values, as any client can send them at will.
/// Used again and again by one thread at a time; its arrays grow to what was needed, and <see cref="Shrink"/> gives large ones back.
/// </summary>
internal sealed class JsonTree
{
    private const int NumberLengthMax = 1024;
    private const int ExponentDigitsMax = 9;
    private const int NodesKept = 16 * 1024;
    private const int BytesKept = 64 * 1024;

    // What ends the plain part of a string: its quote, an escape, or a control character, which must be escaped.
    private static readonly SearchValues<byte> StringEnd = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (byte)c), (byte)'"', (byte)'\\']);

    private JsonNode[] _nodes = new JsonNode[256];
    private byte[] _unescaped = [];
    private int[] _parents = new int[16];
    private int _nodeCount;
    private int _unescapedCount;
    private int _position;

    /// <summary>Where reading stopped: a byte offset.</summary>
    internal int Position => _position;

    /// <summary>The node of the name that stands twice, after <see cref="JsonFault.DuplicateName"/>.</summary>
    internal int Duplicate { get; private set; }

    /// <summary>Nodes that the last text has.</summary>
    internal int NodeCount => _nodeCount;

    internal JsonView Over(ReadOnlySpan<byte> text) => new(text, _unescaped.AsSpan(0, _unescapedCount), _nodes.AsSpan(0, _nodeCount));

    /// <summary>Gives back arrays that a large text has left.</summary>
    internal void Shrink()
    {
        if (_nodes.Length > NodesKept) _nodes = new JsonNode[256];
        if (_unescaped.Length > BytesKept) _unescaped = [];
    }

    // Hot path: per body. 0 allocations once the arrays have grown.
    internal JsonFault Parse(ReadOnlySpan<byte> text, JsonLimits limits)
    {
        _nodeCount = _unescapedCount = _position = 0;
        if (text.Length > limits.BytesMax) return JsonFault.TooLarge;
        if (!Utf8.IsValid(text)) return JsonFault.NotJson;
        JsonFault fault = ParseValues(text, limits);
        return fault == JsonFault.None && !limits.AllowDuplicateNames ? FindDuplicate(text) : fault;
    }

    private JsonFault ParseValues(ReadOnlySpan<byte> text, JsonLimits limits)
    {
        int depth = 0;
        bool isName = false; // a property's name is next
        while (true)
        {
            if (_nodeCount >= limits.NodesMax) return JsonFault.TooLarge;
            int start = SkipSpace(text);
            if (start >= text.Length) return JsonFault.NotJson;
            int index = _nodeCount;
            ref JsonNode node = ref Add();
            node.Start = start;
            node.End = index + 1;
            JsonFault fault = JsonFault.None;
            byte first = text[start];
            if (isName)
            {
                if (first != '"' || !ReadString(text, ref node)) return JsonFault.NotJson;
                node.Kind = JsonKind.Name;
                node.Count = NameHash.Of(node.Flag ? _unescaped.AsSpan(node.Start, node.Length) : text.Slice(node.Start, node.Length));
                int colon = SkipSpace(text);
                if (colon >= text.Length || text[colon] != ':') return JsonFault.NotJson;
                _position++;
                isName = false;
                continue;
            }
            switch (first)
            {
                case (byte)'{' or (byte)'[':
                    if (depth >= limits.DepthMax) return JsonFault.TooDeep;
                    bool isObject = first == '{';
                    node.Kind = isObject ? JsonKind.Object : JsonKind.Array;
                    if (depth == _parents.Length) Array.Resize(ref _parents, depth * 2);
                    _parents[depth++] = index;
                    _position++;
                    int next = SkipSpace(text);
                    if (next < text.Length && text[next] == (isObject ? '}' : ']')) break;
                    isName = isObject;
                    continue;
                case (byte)'"':
                    if (!ReadString(text, ref node)) return JsonFault.NotJson;
                    node.Kind = JsonKind.String;
                    break;
                case (byte)'t': fault = ReadWord(text, "true"u8, JsonKind.True, ref node); break;
                case (byte)'f': fault = ReadWord(text, "false"u8, JsonKind.False, ref node); break;
                case (byte)'n': fault = ReadWord(text, "null"u8, JsonKind.Null, ref node); break;
                default: fault = ReadNumber(text, ref node); break;
            }
            if (fault != JsonFault.None) return fault;
            // A value has ended, or an array or object is empty: what follows ends its parents, or goes on in one of them. An empty one is not counted as its own child.
            bool isEmpty = node.Kind is JsonKind.Array or JsonKind.Object;
            while (true)
            {
                int at = SkipSpace(text);
                if (depth == 0) return at == text.Length ? JsonFault.None : JsonFault.NotJson;
                if (at >= text.Length) return JsonFault.NotJson;
                ref JsonNode parent = ref _nodes[_parents[depth - 1]];
                if (!isEmpty) parent.Count++;
                isEmpty = false;
                _position++;
                bool inObject = parent.Kind == JsonKind.Object;
                if (text[at] == ',')
                {
                    isName = inObject;
                    break;
                }
                if (text[at] != (inObject ? '}' : ']')) return JsonFault.NotJson;
                parent.End = _nodeCount;
                depth--;
            }
        }
    }

    private ref JsonNode Add()
    {
        if (_nodeCount == _nodes.Length) Array.Resize(ref _nodes, _nodes.Length * 2);
        ref JsonNode node = ref _nodes[_nodeCount++];
        node = default;
        return ref node;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SkipSpace(ReadOnlySpan<byte> text)
    {
        int at = _position;
        while ((uint)at < (uint)text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        _position = at;
        return at;
    }

    private JsonFault ReadWord(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word, JsonKind kind, ref JsonNode node)
    {
        if (!text[_position..].StartsWith(word)) return JsonFault.NotJson;
        node.Kind = kind;
        node.Length = word.Length;
        _position += word.Length;
        return JsonFault.None;
    }

    private JsonFault ReadNumber(ReadOnlySpan<byte> text, ref JsonNode node)
    {
        int at = _position;
        node.Kind = JsonKind.Number;
        node.Flag = true;
        if (text[at] == '-') at++;
        int digits = Digits(text, at);
        if (digits == 0 || (digits > 1 && text[at] == '0')) return JsonFault.NotJson;
        at += digits;
        if ((uint)at < (uint)text.Length && text[at] == '.')
        {
            node.Flag = false;
            digits = Digits(text, at + 1);
            if (digits == 0) return JsonFault.NotJson;
            at += 1 + digits;
        }
        int exponentDigits = 0;
        if ((uint)at < (uint)text.Length && (text[at] | 0x20) == 'e')
        {
            node.Flag = false;
            at++;
            if ((uint)at < (uint)text.Length && text[at] is (byte)'+' or (byte)'-') at++;
            exponentDigits = Digits(text, at);
            if (exponentDigits == 0) return JsonFault.NotJson;
            at += exponentDigits;
        }
        node.Length = at - node.Start;
        if (node.Length > NumberLengthMax || exponentDigits > ExponentDigitsMax) return JsonFault.NumberTooLong;
        _position = at;
        return JsonFault.None;
    }

    private static int Digits(ReadOnlySpan<byte> text, int at)
    {
        int end = at;
        while ((uint)end < (uint)text.Length && (uint)(text[end] - '0') <= 9) end++;
        return end - at;
    }

    // The position is at the opening quote.
    private bool ReadString(ReadOnlySpan<byte> text, ref JsonNode node)
    {
        int start = _position + 1;
        int length = text[start..].IndexOfAny(StringEnd);
        if (length < 0) return false;
        _position = start + length;
        if (text[_position] == '"')
        {
            node.Start = start;
            node.Length = length;
            _position++;
            return true;
        }
        return text[_position] == '\\' && ReadEscaped(text, start, ref node);
    }

    private bool ReadEscaped(ReadOnlySpan<byte> text, int start, ref JsonNode node)
    {
        node.Flag = true;
        int first = _unescapedCount;
        node.Start = first;
        while (true)
        {
            int length = text[start..].IndexOfAny(StringEnd);
            if (length < 0) return false;
            Append(text.Slice(start, length));
            start += length;
            _position = start;
            byte end = text[start++];
            if (end == '"')
            {
                _position = start;
                node.Length = _unescapedCount - first;
                return true;
            }
            if (end != '\\' || start >= text.Length) return false;
            byte escape = text[start++];
            if (escape == 'u')
            {
                if (!ReadUnicode(text, ref start)) return false;
                continue;
            }
            int at = "\"\\/bfnrt"u8.IndexOf(escape);
            if (at < 0) return false;
            Append("\"\\/\b\f\n\r\t"u8.Slice(at, 1));
        }
    }

    private bool ReadUnicode(ReadOnlySpan<byte> text, ref int at)
    {
        if (!Hex4(text, at, out int unit)) return false;
        at += 4;
        if (char.IsSurrogate((char)unit))
        {
            // RFC 8259 §8.2: readers differ in what half of a pair is, so it is nothing here.
            if (!text[Math.Min(at, text.Length)..].StartsWith("\\u"u8) || !Hex4(text, at + 2, out int low) || !char.IsSurrogatePair((char)unit, (char)low)) return false;
            at += 6;
            unit = char.ConvertToUtf32((char)unit, (char)low);
        }
        Span<byte> utf8 = stackalloc byte[4];
        Append(utf8[..new Rune(unit).EncodeToUtf8(utf8)]);
        return true;
    }

    private static bool Hex4(ReadOnlySpan<byte> text, int at, out int value)
    {
        value = 0;
        if (text.Length - at < 4) return false;
        foreach (byte c in text.Slice(at, 4))
        {
            int digit = c - '0';
            if ((uint)digit > 9)
            {
                digit = (c | 0x20) - 'a';
                if ((uint)digit > 5) return false;
                digit += 10;
            }
            value = value << 4 | digit;
        }
        return true;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_unescaped.Length - _unescapedCount < bytes.Length)
        {
            Array.Resize(ref _unescaped, Math.Max(256, Math.Max(_unescaped.Length * 2, _unescapedCount + bytes.Length)));
        }
        bytes.CopyTo(_unescaped.AsSpan(_unescapedCount));
        _unescapedCount += bytes.Length;
    }

    private JsonFault FindDuplicate(ReadOnlySpan<byte> text)
    {
        JsonView view = Over(text);
        for (int i = 0; i < _nodeCount; i++)
        {
            if (view.Nodes[i].Kind != JsonKind.Object || view.Nodes[i].Count < 2) continue;
            int duplicate = DuplicateNames.Find(view, i);
            if (duplicate < 0) continue;
            Duplicate = duplicate;
            _position = view.Nodes[duplicate].Flag ? 0 : view.Nodes[duplicate].Start;
            return JsonFault.DuplicateName;
        }
        return JsonFault.None;
    }
}
