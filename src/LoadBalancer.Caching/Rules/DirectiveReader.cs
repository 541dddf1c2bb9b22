using System.Buffers;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// Takes the directives of one Cache-Control line apart (RFC 9111 §5.2). A value from the network in any state: it never throws, and what is malformed is still found by
/// its name, so that a restriction counts even when it is written badly.
/// </summary>
internal ref struct DirectiveReader(ReadOnlySpan<byte> value)
{
    private static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private ReadOnlySpan<byte> _rest = value;

    /// <summary>The name as written; a token.</summary>
    internal ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The argument, without the quotes of a quoted string (its escapes are left in).</summary>
    internal ReadOnlySpan<byte> Argument { get; private set; }

    /// <summary>There is an argument, though it may be empty.</summary>
    internal bool HasArgument { get; private set; }

    /// <summary>The directive, or the line around it (a quoted string without end), has not the form of RFC 9111 §5.2.</summary>
    internal bool IsMalformed { get; private set; }

    /// <summary>Moves to the next directive; false at the end.</summary>
    internal bool Next()
    {
        while (!_rest.IsEmpty)
        {
            ReadOnlySpan<byte> element = TakeElement().Trim(" \t"u8);
            if (element.IsEmpty) continue;
            int length = element.IndexOfAnyExcept(Token);
            if (length == 0) continue; // names nothing
            Name = length < 0 ? element : element[..length];
            ReadOnlySpan<byte> argument = length < 0 ? default : element[length..];
            HasArgument = !argument.IsEmpty;
            Argument = default;
            IsMalformed = _isUnterminated;
            if (argument.IsEmpty) return true;
            if (argument[0] != '=')
            {
                IsMalformed = true; // "max-age =1", "no-store;x"
                return true;
            }
            argument = argument[1..];
            if (argument.Length >= 2 && argument[0] == '"' && argument[^1] == '"') argument = argument[1..^1];
            else if (argument.ContainsAnyExcept(Token)) IsMalformed = true; // as "a=b"c", or "max-age= 1"
            Argument = argument;
            return true;
        }
        return false;
    }

    private bool _isUnterminated;

    // Up to the next comma that is in no quoted string. A string without end swallows nothing: its commas count, or it would hide what follows.
    private ReadOnlySpan<byte> TakeElement()
    {
        bool isQuoted = false;
        int at = 0;
        for (; at < _rest.Length; at++)
        {
            byte b = _rest[at];
            if (b == '"' && !_isUnterminated) isQuoted = !isQuoted;
            else if (isQuoted && b == '\\') at++;
            else if (b == ',' && !isQuoted) break;
        }
        if (isQuoted)
        {
            _isUnterminated = true;
            at = _rest.IndexOf((byte)',');
            if (at < 0) at = _rest.Length;
        }
        at = Math.Min(at, _rest.Length);
        ReadOnlySpan<byte> element = _rest[..at];
        _rest = at < _rest.Length ? _rest[(at + 1)..] : default;
        return element;
    }

    /// <summary>delta-seconds (RFC 9111 §1.2.2): more than an int holds becomes its largest; -1 for what is none.</summary>
    internal readonly int ReadSeconds() => IsMalformed || !HasArgument ? -1 : ReadSeconds(Argument);

    internal static int ReadSeconds(ReadOnlySpan<byte> digits)
    {
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return -1;
        long seconds = 0;
        for (int i = 0; i < digits.Length && seconds < int.MaxValue; i++) seconds = seconds * 10 + (digits[i] - '0');
        return (int)Math.Min(seconds, int.MaxValue);
    }

    internal static bool IsToken(ReadOnlySpan<byte> value) => !value.IsEmpty && !value.ContainsAnyExcept(Token);
}
