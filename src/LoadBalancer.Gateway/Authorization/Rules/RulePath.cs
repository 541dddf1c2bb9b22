using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>A path of a rule: "/exact", "/users/{id}", "/files/**". Immutable.</summary>
internal sealed class RulePath
{
    private readonly Segment[] _segments;
    private readonly int _looseCount; // without the empty one behind a slash at the end
    private readonly bool _isPrefix;

    // Encoded as the normal form has it; null for a variable.
    private readonly record struct Segment(byte[]? Encoded, byte[] Decoded, string? Decoded16, string Variable);

    /// <param name="pattern">One in which nothing is wrong.</param>
    internal RulePath(string pattern)
    {
        _isPrefix = pattern.EndsWith("/**", StringComparison.Ordinal);
        string[] segments = _isPrefix && pattern.Length == 3 ? [] : pattern[1..(_isPrefix ? ^3 : ^0)].Split('/');
        _segments = [.. segments.Select(ToSegment)];
        _looseCount = segments.Length > 0 && segments[^1].Length == 0 ? segments.Length - 1 : segments.Length;
    }

    /// <summary>Whether it matches every path.</summary>
    internal bool IsAny => _isPrefix && _segments.Length == 0;

    internal bool HasVariable(string name) => Array.Exists(_segments, segment => segment.Encoded is null && segment.Variable == name);

    /// <summary>Whether a rule that allows matches: by all readings, exactly.</summary>
    internal bool MatchesAll(PathReadings path)
    {
        for (int i = 0; i < path.Count; i++) if (!Matches(path[i], isDecoded: i > 0)) return false;
        return true;
    }

    /// <summary>Whether a rule that denies matches: by any reading, in any case, with or without a slash at the end.</summary>
    internal bool MatchesAny(PathReadings path)
    {
        for (int i = 0; i < path.Count; i++) if (MatchesLoosely(path[i], isDecoded: i > 0)) return true;
        return false;
    }

    /// <summary>What stands in the forwarded path for a variable, as it is there. Empty when it has none.</summary>
    internal ReadOnlySpan<byte> Find(string variable, ReadOnlySpan<byte> path)
    {
        for (int i = 0; i < _segments.Length && TryNext(ref path, out ReadOnlySpan<byte> segment); i++)
        {
            if (_segments[i].Encoded is null && _segments[i].Variable == variable) return segment;
        }
        return default;
    }

    private bool Matches(ReadOnlySpan<byte> path, bool isDecoded)
    {
        if (path is not [(byte)'/', ..]) return IsAny; // "*", the server as a whole
        foreach (ref readonly Segment wanted in _segments.AsSpan())
        {
            if (!TryNext(ref path, out ReadOnlySpan<byte> segment)) return false;
            if (wanted.Encoded is null ? segment.IsEmpty : !segment.SequenceEqual(isDecoded ? wanted.Decoded : wanted.Encoded)) return false;
        }
        return _isPrefix || path.IsEmpty;
    }

    private bool MatchesLoosely(ReadOnlySpan<byte> path, bool isDecoded)
    {
        if (path is not [(byte)'/', ..]) return IsAny;
        if (path.Length > 1 && path[^1] == '/') path = path[..^1];
        foreach (ref readonly Segment wanted in _segments.AsSpan(0, _looseCount))
        {
            if (!TryNext(ref path, out ReadOnlySpan<byte> segment)) return false;
            if (wanted.Encoded is null ? segment.IsEmpty : !IsAlike(segment, wanted, isDecoded)) return false;
        }
        return _isPrefix || path.IsEmpty || (path.Length == 1 && _looseCount == 0);
    }

    private static bool IsAlike(ReadOnlySpan<byte> segment, in Segment wanted, bool isDecoded)
    {
        if (Ascii.EqualsIgnoreCase(segment, isDecoded ? wanted.Decoded : wanted.Encoded!)) return true;
        if (wanted.Decoded16 is not { } text || !isDecoded || segment.Length > 1024) return false;
        Span<char> chars = stackalloc char[segment.Length];
        return Encoding.UTF8.TryGetChars(segment, chars, out int length) && text.AsSpan().Equals(chars[..length], StringComparison.OrdinalIgnoreCase);
    }

    // From "/a/b" the segment "a", and "/b" is left; of "/a/" the segment "a", and "/" is left, which has an empty one.
    private static bool TryNext(scoped ref ReadOnlySpan<byte> path, out ReadOnlySpan<byte> segment)
    {
        segment = default;
        if (path.IsEmpty) return false;
        path = path[1..];
        int slash = path.IndexOf((byte)'/');
        segment = slash < 0 ? path : path[..slash];
        path = slash < 0 ? default : path[slash..];
        return true;
    }

    private static Segment ToSegment(string text)
    {
        if (text is ['{', .. var name, '}']) return new(null, [], null, name);
        byte[] encoded = Encoding.UTF8.GetBytes("/" + text);
        int length = PathNormalizer.Normalize(encoded, encoded);
        encoded = encoded[1..length];
        byte[] decoded = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(Encoding.UTF8.GetString(encoded)));
        return new(encoded, decoded, Ascii.IsValid(decoded) ? null : Encoding.UTF8.GetString(decoded), "");
    }
}
