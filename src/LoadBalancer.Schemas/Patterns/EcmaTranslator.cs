using System.Globalization;
using System.Text;

namespace LoadBalancer.Schemas.Patterns;

/// <summary>
/// Translates a regular expression of ECMA-262 (flag u) into the same of .NET: \d, \w and \s are what ECMA says, a dot and a class match a whole character, $ is only
/// the end. What has no translation (scripts as in \p{Script=Greek}, unknown escapes) is an error, never something else.
/// </summary>
internal sealed class EcmaTranslator
{
    private static readonly CodePointSet Digits = CodePointSet.Of(('0', '9'));
    private static readonly CodePointSet Words = CodePointSet.Of(('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_'));
    private static readonly CodePointSet LineEnds = CodePointSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029));

    private static readonly CodePointSet Spaces = CodePointSet.Of(
        (9, 13), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    private readonly string _source;
    private readonly StringBuilder _out = new();
    private int _at;
    private string? _error;

    private EcmaTranslator(string source) => _source = source;

    internal static bool TryTranslate(string source, out string translated, out string error)
    {
        var translator = new EcmaTranslator(source);
        translator.Run();
        translated = translator._out.ToString();
        error = translator._error ?? "";
        return translator._error is null;
    }

    private void Run()
    {
        while (_at < _source.Length && _error is null)
        {
            char c = _source[_at];
            switch (c)
            {
                case '\\': Escape(); break;
                case '[': Class(); break;
                case '.':
                    _at++;
                    _out.Append(LineEnds.Translate(isNegated: true));
                    break;
                case '$':
                    _at++;
                    _out.Append("\\z");
                    break;
                case '(': Group(); break;
                case '{' when !IsQuantifier():
                    _at++;
                    _out.Append("\\{");
                    break;
                case ']' or '}':
                    _at++;
                    // The end of a quantifier, or itself.
                    _out.Append(c == '}' && IsQuantifierEnd() ? "}" : $"\\{c}");
                    break;
                default:
                    Literal(Next());
                    break;
            }
        }
    }

    private int Next()
    {
        int codePoint = _at + 1 < _source.Length && char.IsSurrogatePair(_source, _at) ? char.ConvertToUtf32(_source, _at) : _source[_at];
        _at += codePoint > 0xFFFF ? 2 : 1;
        return codePoint;
    }

    private void Literal(int codePoint)
    {
        if (codePoint > 0xFFFF) _out.Append("(?:").Append(char.ConvertFromUtf32(codePoint)).Append(')');
        else _out.Append((char)codePoint);
    }

    private void LiteralEscaped(int codePoint)
    {
        if (codePoint > 0xFFFF) Literal(codePoint);
        else _out.Append(CultureInfo.InvariantCulture, $"\\u{codePoint:x4}");
    }

    private void Group()
    {
        ReadOnlySpan<char> rest = _source.AsSpan(_at);
        bool isPlain = !rest.StartsWith("(?") || rest.StartsWith("(?:") || rest.StartsWith("(?=") || rest.StartsWith("(?!")
            || (rest.StartsWith("(?<") && rest.Length > 3 && (rest[3] is '=' or '!' or '_' or '$' || char.IsLetter(rest[3])));
        if (!isPlain) _error = $"the group at {_at} is not of ECMA-262";
        _out.Append('(');
        _at++;
        if (rest.StartsWith("(?"))
        {
            _out.Append('?');
            _at++;
        }
    }

    private bool IsQuantifier()
    {
        int at = _at + 1;
        int digits = CountDigits(ref at);
        if (digits == 0 || at >= _source.Length) return false;
        if (_source[at] == ',')
        {
            at++;
            CountDigits(ref at);
        }
        return at < _source.Length && _source[at] == '}';
    }

    // The translator has already copied the opening brace only where it opens a quantifier.
    private bool IsQuantifierEnd()
    {
        for (int i = _out.Length - 1; i >= 0; i--)
        {
            if (char.IsAsciiDigit(_out[i]) || _out[i] == ',') continue;
            return _out[i] == '{' && (i == 0 || _out[i - 1] != '\\') && i < _out.Length - 1;
        }
        return false;
    }

    private int CountDigits(ref int at)
    {
        int start = at;
        while (at < _source.Length && char.IsAsciiDigit(_source[at])) at++;
        return at - start;
    }

    private void Escape()
    {
        if (_at + 1 >= _source.Length)
        {
            _error = "it ends with a backslash";
            return;
        }
        char c = _source[_at + 1];
        switch (c)
        {
            case 'b' or 'B':
                _at += 2;
                _out.Append('\\').Append(c);
                break;
            case >= '1' and <= '9':
                _at++;
                int start = _at;
                CountDigits(ref _at);
                _out.Append("(?:\\").Append(_source, start, _at - start).Append(')');
                break;
            case 'k':
                _at += 2;
                _out.Append("\\k");
                break;
            default:
                if (ClassEscape(out CodePointSet set)) _out.Append(set.Translate(isNegated: false));
                else if (_error is null) LiteralEscaped(CharacterEscape());
                break;
        }
    }

    // \d \D \w \W \s \S \p{} \P{}; else false, and nothing is read.
    private bool ClassEscape(out CodePointSet set)
    {
        set = new CodePointSet();
        char c = _source[_at + 1];
        CodePointSet? named = c switch { 'd' or 'D' => Digits, 'w' or 'W' => Words, 's' or 'S' => Spaces, _ => null };
        if (named is not null)
        {
            _at += 2;
            set.AddAll(char.IsUpper(c) ? named.Complement() : named);
            return true;
        }
        if (c is not ('p' or 'P')) return false;
        int end = _source.IndexOf('}', _at);
        if (_at + 2 >= _source.Length || _source[_at + 2] != '{' || end < 0)
        {
            _error = "\\p is followed by no {name}";
            return false;
        }
        string name = _source[(_at + 3)..end];
        _at = end + 1;
        foreach (string prefix in (string[])["General_Category=", "gc="])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)) name = name[prefix.Length..];
        }
        if (UnicodeCategories.Find(name) is { } category) set.AddCategory($"\\{c}{{{category}}}");
        else _error = $"the Unicode property {name} is not supported; general categories are, as \\p{{L}}";
        return true;
    }

    // One character that is written with a backslash.
    private int CharacterEscape()
    {
        char c = _source[_at + 1];
        _at += 2;
        switch (c)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'v': return '\v';
            case 'f': return '\f';
            case 'r': return '\r';
            case '0': return 0;
            case 'c' when _at < _source.Length && char.IsAsciiLetter(_source[_at]): return _source[_at++] & 0x1F;
            case 'x': return Hex(2);
            case 'u' when _at < _source.Length && _source[_at] == '{':
                int end = _source.IndexOf('}', _at);
                if (end < 0 || !int.TryParse(_source.AsSpan(_at + 1, end - _at - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || value is < 0 or > 0x10FFFF)
                {
                    _error = "\\u{...} names no character";
                    return 0;
                }
                _at = end + 1;
                return value;
            case 'u':
                int unit = Hex(4);
                if (char.IsHighSurrogate((char)unit) && _source.AsSpan(Math.Min(_at, _source.Length)).StartsWith("\\u"))
                {
                    int before = _at;
                    _at += 2;
                    int low = Hex(4);
                    if (_error is null && char.IsLowSurrogate((char)low)) return char.ConvertToUtf32((char)unit, (char)low);
                    _at = before;
                }
                return unit;
        }
        if (char.IsAsciiLetterOrDigit(c)) _error = $"\\{c} is no escape of ECMA-262";
        return c;
    }

    private int Hex(int digits)
    {
        if (_source.Length - _at < digits || !int.TryParse(_source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            _error = $"an escape is not followed by {digits} hexadecimal digits";
            return 0;
        }
        _at += digits;
        return value;
    }

    private void Class()
    {
        _at++;
        bool isNegated = _at < _source.Length && _source[_at] == '^';
        if (isNegated) _at++;
        var set = new CodePointSet();
        while (_error is null)
        {
            if (_at >= _source.Length)
            {
                _error = "a class is not closed with ]";
                return;
            }
            if (_source[_at] == ']') break;
            int first = ClassMember(set);
            bool isRange = _at + 1 < _source.Length && _source[_at] == '-' && _source[_at + 1] != ']';
            if (!isRange || first < 0)
            {
                if (first >= 0) set.Add(first, first);
                continue;
            }
            _at++;
            int last = ClassMember(set);
            if (last < 0)
            {
                // [a-\d]: both, and the hyphen.
                set.Add(first, first);
                set.Add('-', '-');
            }
            else if (last < first)
            {
                _error = "a range of a class ends before it begins";
            }
            else
            {
                set.Add(first, last);
            }
        }
        _at++;
        _out.Append(set.Translate(isNegated));
    }

    // A character; or -1 when it was several, which are in the set.
    private int ClassMember(CodePointSet set)
    {
        if (_source[_at] != '\\') return Next();
        if (_at + 1 >= _source.Length)
        {
            _error = "it ends with a backslash";
            return -1;
        }
        if (_source[_at + 1] is 'b' or '-')
        {
            _at += 2;
            return _source[_at - 1] == 'b' ? '\b' : '-';
        }
        if (!ClassEscape(out CodePointSet several)) return _error is null ? CharacterEscape() : -1;
        set.AddAll(several);
        return -1;
    }
}
