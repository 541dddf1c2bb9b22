using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>What the text of an nginx configuration consists of.</summary>
internal enum NginxTokenKind
{
    /// <summary>The end of the text.</summary>
    End,
    /// <summary>A word, without its quotes and escapes.</summary>
    Word,
    /// <summary>";"</summary>
    Semicolon,
    /// <summary>"{"</summary>
    Open,
    /// <summary>"}"</summary>
    Close,
}

/// <summary>One token.</summary>
internal readonly record struct NginxToken(NginxTokenKind Kind, string Text, int Line);

/// <summary>A fault in the syntax of nginx's configuration.</summary>
internal sealed class NginxSyntaxException(int line, string message) : Exception(message)
{
    internal int Line { get; } = line;
}

/// <summary>
/// Splits the text of an nginx configuration as ngx_conf_read_token does: words in quotes of either kind, backslashes, comments that begin where a word could, and <c>${name}</c>, whose braces are
/// no block. Every text comes to an end: each step takes a character.
/// </summary>
internal sealed class NginxTokenizer(string text)
{
    /// <summary>Longest word. nginx's own limit is its buffer of 4 KiB.</summary>
    internal const int WordCharactersMax = 4096;

    private int _at;
    private int _line = 1;

    /// <exception cref="NginxSyntaxException">The text is no nginx configuration.</exception>
    internal NginxToken Read()
    {
        SkipBlanks();
        if (_at == text.Length) return new(NginxTokenKind.End, "", _line);
        switch (text[_at])
        {
            case ';':
                _at++;
                return new(NginxTokenKind.Semicolon, ";", _line);
            case '{':
                _at++;
                return new(NginxTokenKind.Open, "{", _line);
            case '}':
                _at++;
                return new(NginxTokenKind.Close, "}", _line);
            case '"' or '\'':
                return Quoted(text[_at]);
            default:
                return Plain();
        }
    }

    private void SkipBlanks()
    {
        for (; _at < text.Length; _at++)
        {
            char c = text[_at];
            if (c == '#')
            {
                int end = text.IndexOf('\n', _at);
                if (end < 0)
                {
                    _at = text.Length;
                    return;
                }
                _at = end;
                c = '\n';
            }
            if (c == '\n') _line++;
            else if (!IsBlank(c)) return;
        }
    }

    private NginxToken Quoted(char quote)
    {
        int line = _line;
        var word = new StringBuilder();
        for (_at++; ; _at++)
        {
            if (_at == text.Length) throw new NginxSyntaxException(line, "a quote is not closed");
            char c = text[_at];
            if (c == quote) break;
            if (c == '\\') Escaped(word);
            else Append(word, c);
        }
        _at++;
        // As nginx: what follows a quoted word must end it. ")" is for "if".
        if (_at < text.Length && !IsBlank(text[_at]) && text[_at] is not ('\n' or ';' or '{' or ')')) throw new NginxSyntaxException(_line, $"unexpected '{text[_at]}' after a quoted word");
        return new(NginxTokenKind.Word, word.ToString(), line);
    }

    private NginxToken Plain()
    {
        int line = _line;
        var word = new StringBuilder();
        for (; _at < text.Length; _at++)
        {
            char c = text[_at];
            if (c == '\n' || c is ';' || IsBlank(c)) break;
            if (c == '{' && (word.Length == 0 || word[^1] != '$')) break;
            if (c == '\\') Escaped(word);
            else if (c == '{') Variable(word);
            else Append(word, c);
        }
        return new(NginxTokenKind.Word, word.ToString(), line);
    }

    // From "{" of "${name}" up to "}".
    private void Variable(StringBuilder word)
    {
        for (; ; _at++)
        {
            if (_at == text.Length) throw new NginxSyntaxException(_line, "a \"${\" is not closed");
            Append(word, text[_at]);
            if (text[_at] == '}') return;
        }
    }

    // At the backslash: stays at the last character it has used.
    private void Escaped(StringBuilder word)
    {
        if (_at + 1 == text.Length) throw new NginxSyntaxException(_line, "the text ends with a backslash");
        char next = text[++_at];
        switch (next)
        {
            case '"' or '\'' or '\\':
                Append(word, next);
                break;
            case 't':
                Append(word, '\t');
                break;
            case 'r':
                Append(word, '\r');
                break;
            case 'n':
                Append(word, '\n', isNewLine: false);
                break;
            default: // the backslash stands for itself, as in regular expressions
                Append(word, '\\');
                Append(word, next);
                break;
        }
    }

    private void Append(StringBuilder word, char c, bool isNewLine = true)
    {
        if (word.Length == WordCharactersMax) TooLong();
        if (c == '\n' && isNewLine) _line++;
        word.Append(c);
    }

    [DoesNotReturn]
    private void TooLong() => throw new NginxSyntaxException(_line, $"a word has more than {WordCharactersMax} characters; is a quote not closed?");

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\r';
}
