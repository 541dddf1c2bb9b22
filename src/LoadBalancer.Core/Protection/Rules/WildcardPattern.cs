using System.Text;

namespace LoadBalancer.Core.Protection.Rules;

/// <summary>
/// Text in which "*" stands for any characters, or none; ASCII letters of either case are the same. Matching takes time linear in the text whatever both are
/// (Knuth, Morris, Pratt for what stands between two "*"), and allocates nothing.
/// </summary>
internal sealed class WildcardPattern
{
    private readonly byte[] _start, _end; // what the text begins and ends with
    private readonly Piece[] _between;    // what it has in between, in this order
    private readonly bool _isWhole;       // no "*": _start is all of it

    /// <param name="pattern">ASCII.</param>
    internal WildcardPattern(string pattern)
    {
        byte[][] parts = [.. pattern.Split('*').Select(part => Encoding.ASCII.GetBytes(part.ToLowerInvariant()))];
        _isWhole = parts.Length == 1;
        _start = parts[0];
        _end = _isWhole ? [] : parts[^1];
        _between = parts.Length < 3 ? [] : [.. parts[1..^1].Where(part => part.Length > 0).Select(part => new Piece(part))];
    }

    /// <summary>Whether the whole text is as the pattern says.</summary>
    internal bool Matches(ReadOnlySpan<byte> text)
    {
        if (_isWhole) return text.Length == _start.Length && IsSame(text, _start);
        if (text.Length < _start.Length + _end.Length || !IsSame(text[.._start.Length], _start) || !IsSame(text[^_end.Length..], _end)) return false;
        text = text[_start.Length..^_end.Length];
        // The first place of each is as good as any: what is left for those behind it is longest.
        foreach (Piece piece in _between)
        {
            int end = piece.EndIn(text);
            if (end < 0) return false;
            text = text[end..];
        }
        return true;
    }

    private static bool IsSame(ReadOnlySpan<byte> text, byte[] lowerCase) => Ascii.EqualsIgnoreCase(text, lowerCase);

    private sealed class Piece
    {
        private readonly byte[] _text; // lower case
        private readonly int[] _border; // how much of the beginning the first i + 1 bytes end with
        private readonly byte _first, _firstUpper;

        internal Piece(byte[] text)
        {
            _text = text;
            _first = text[0];
            _firstUpper = (byte)char.ToUpperInvariant((char)text[0]);
            _border = new int[text.Length];
            for (int i = 1, matched = 0; i < text.Length; i++)
            {
                while (matched > 0 && text[i] != text[matched]) matched = _border[matched - 1];
                if (text[i] == text[matched]) matched++;
                _border[i] = matched;
            }
        }

        /// <summary>Where its first place ends, or -1.</summary>
        internal int EndIn(ReadOnlySpan<byte> text)
        {
            int matched = 0;
            for (int i = 0; i < text.Length; i++)
            {
                if (matched == 0)
                {
                    int skipped = text[i..].IndexOfAny(_first, _firstUpper);
                    if (skipped < 0) return -1;
                    i += skipped;
                }
                byte c = text[i];
                if (c is >= (byte)'A' and <= (byte)'Z') c |= 0x20;
                while (matched > 0 && _text[matched] != c) matched = _border[matched - 1];
                if (_text[matched] == c && ++matched == _text.Length) return i + 1;
            }
            return -1;
        }
    }
}
