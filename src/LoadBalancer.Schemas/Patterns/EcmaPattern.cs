using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Patterns;

/// <summary>
/// A regular expression of a schema: ECMA-262 with the flag u (2020-12 core §6.4), translated for .NET. It runs without backtracking, in time proportional to the text;
/// those with look-arounds or back-references cannot, and have a time-out, after which the validation fails.
/// </summary>
internal sealed class EcmaPattern
{
    private const int SourceMax = 4096;
    private const int StackChars = 256;

    private readonly Regex _regex;

    private EcmaPattern(string source, Regex regex)
    {
        Source = source;
        _regex = regex;
    }

    internal string Source { get; }

    internal static bool TryCreate(string source, TimeSpan timeout, [NotNullWhen(true)] out EcmaPattern? pattern, out string error)
    {
        pattern = null;
        error = "";
        if (source.Length > SourceMax)
        {
            error = $"the pattern has {source.Length} characters; expected at most {SourceMax}";
            return false;
        }
        if (!EcmaTranslator.TryTranslate(source, out string translated, out error)) return false;
        const RegexOptions Options = RegexOptions.CultureInvariant;
        try
        {
            Regex regex;
            try
            {
                regex = new Regex(translated, Options | RegexOptions.NonBacktracking, timeout);
            }
            catch (NotSupportedException)
            {
                regex = new Regex(translated, Options, timeout);
            }
            pattern = new EcmaPattern(source, regex);
            return true;
        }
        catch (ArgumentException e)
        {
            error = $"the pattern cannot be read: {e.Message.ReplaceLineEndings(" ")}";
            return false;
        }
    }

    // Hot path: per string with a pattern. 0 allocations.
    internal bool IsMatch(ref ValidationRun run, ReadOnlySpan<byte> utf8)
    {
        if (!run.Spend(1 + (utf8.Length >> 3))) return false;
        char[]? rented = utf8.Length > StackChars ? ArrayPool<char>.Shared.Rent(utf8.Length) : null;
        Span<char> chars = rented ?? stackalloc char[StackChars];
        try
        {
            int length = Encoding.UTF8.GetChars(utf8, chars);
            return _regex.IsMatch(chars[..length]);
        }
        catch (RegexMatchTimeoutException)
        {
            // Neither answer would be true, so nothing is valid from here on.
            run.Exhaust();
            return false;
        }
        finally
        {
            if (rented is not null) ArrayPool<char>.Shared.Return(rented);
        }
    }

    /// <summary>The same for texts outside of an instance; a time-out is no match.</summary>
    internal bool IsMatch(string text)
    {
        try
        {
            return _regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }
}
