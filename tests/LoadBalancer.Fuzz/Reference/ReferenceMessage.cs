using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Reference;

/// <summary>
/// Heads and trailer sections read the plain way: all of it as text, one rule after the other. Knows the lines, the fields and the framing
/// (RFC 9112 §2 to §7), and nothing of what is in targets and hosts.
/// </summary>
internal sealed class ReferenceMessage
{
    private const string Token = @"[!#$%&'*+\-.^_`|~0-9A-Za-z]+";
    private static readonly Regex FieldLine = new($@"\A({Token}):[ \t]*(.*?)[ \t]*\z", RegexOptions.Singleline);
    private static readonly Regex RequestLine = new($@"\A({Token}) ([!-~]+) HTTP/1\.([0-9])\z");
    private static readonly Regex StatusLine = new(@"\AHTTP/1\.([0-9]) ([1-5][0-9][0-9])(?: (.*))?\z", RegexOptions.Singleline);

    internal ParseStatus Verdict { get; private set; }

    internal int Length { get; private set; }

    /// <summary>Method and target, or status and reason.</summary>
    internal string First { get; private set; } = "";

    internal string Second { get; private set; } = "";

    internal List<(string Name, string Value)> Fields { get; } = [];

    internal MessageFraming Framing { get; private set; }

    internal long ContentLength { get; private set; } = -1;

    internal int MinorVersion { get; private set; }

    internal bool KeepAlive { get; private set; }

    internal static ReferenceMessage Request(string text, HeadLimits limits)
    {
        var message = new ReferenceMessage();
        int start = text.StartsWith("\r\n", StringComparison.Ordinal) ? 2 : 0; // §2.2: one empty line before a request
        message.Verdict = message.ReadLines(text, start, limits.HeadBytesMax, limits.FieldCountMax, hasStartLine: true, line =>
        {
            Match match = RequestLine.Match(line);
            if (!match.Success || line.Length > limits.StartLineBytesMax || match.Groups[1].Length > 32) return false;
            (message.First, message.Second) = (match.Groups[1].Value, match.Groups[2].Value);
            message.MinorVersion = match.Groups[3].Value == "0" ? 0 : 1;
            return true;
        });
        if (message.Verdict == ParseStatus.Complete && !message.ReadRequestFraming()) message.Verdict = ParseStatus.Rejected;
        if (message.Verdict == ParseStatus.Complete) message.KeepAlive = message.Persists();
        return message;
    }

    internal static ReferenceMessage Response(string text, HeadLimits limits, RequestMethod method)
    {
        var message = new ReferenceMessage();
        message.Verdict = message.ReadLines(text, 0, limits.HeadBytesMax, limits.FieldCountMax, hasStartLine: true, line =>
        {
            Match match = StatusLine.Match(line);
            if (!match.Success) return false;
            (message.First, message.Second) = (match.Groups[2].Value, match.Groups[3].Value);
            message.MinorVersion = match.Groups[1].Value == "0" ? 0 : 1;
            return true;
        });
        if (message.Verdict == ParseStatus.Complete && !message.ReadResponseFraming(method)) message.Verdict = ParseStatus.Rejected;
        if (message.Verdict == ParseStatus.Complete) message.KeepAlive = message.Framing != MessageFraming.UntilClose && message.Persists();
        return message;
    }

    internal static ReferenceMessage Trailers(string text)
    {
        var message = new ReferenceMessage();
        message.Verdict = message.ReadLines(text, 0, TrailerSection.BytesMax, TrailerSection.FieldCountMax, hasStartLine: false, _ => true);
        return message;
    }

    private ParseStatus ReadLines(string text, int start, int bytesMax, int fieldsMax, bool hasStartLine, Func<string, bool> readStartLine)
    {
        // The section ends with the first empty line; without a start line that may be the first line of all.
        int end = !hasStartLine && text.StartsWith("\r\n", StringComparison.Ordinal) ? -2 : text.IndexOf("\r\n\r\n", start, StringComparison.Ordinal);
        if (end == -1) return text.Length >= bytesMax ? ParseStatus.Rejected : ParseStatus.NeedMore;
        Length = end + 4;
        if (Length > bytesMax) return ParseStatus.Rejected;
        string[] lines = end < 0 ? [] : text[start..end].Split("\r\n");
        // §2.2, RFC 9110 §5.5: no control characters but HTAB, no CR or LF of their own.
        if (lines.Any(line => line.Any(c => (c < ' ' && c != '\t') || c == '\x7F'))) return ParseStatus.Rejected;
        if (hasStartLine)
        {
            if (!readStartLine(lines[0])) return ParseStatus.Rejected;
            lines = lines[1..];
        }
        if (lines.Length > fieldsMax) return ParseStatus.Rejected;
        foreach (string line in lines)
        {
            Match match = FieldLine.Match(line);
            if (!match.Success) return ParseStatus.Rejected;
            Fields.Add((match.Groups[1].Value, match.Groups[2].Value));
        }
        return ParseStatus.Complete;
    }

    private List<string> Values(string name) => [.. Fields.Where(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(f => f.Value)];

    private IEnumerable<string> Elements(string name) => Values(name).SelectMany(value => value.Split(',')).Select(element => element.Trim(' ', '\t').ToLowerInvariant());

    // §6.1, §6.3. False for what is to be refused; length -1 for chunked.
    private bool ReadLength(out bool isFramed, out long length)
    {
        length = -1;
        List<string> lengths = Values("Content-Length"), codings = Values("Transfer-Encoding");
        isFramed = lengths.Count + codings.Count > 0;
        if (codings.Count > 0) return lengths.Count == 0 && MinorVersion == 1 && Elements("Transfer-Encoding").SequenceEqual(["chunked"]);
        if (lengths.Count == 0) return true;
        if (lengths.Count > 1 || lengths[0].Length == 0 || !lengths[0].All(char.IsAsciiDigit)) return false;
        BigInteger number = BigInteger.Parse(lengths[0], CultureInfo.InvariantCulture);
        if (number > long.MaxValue) return false;
        length = (long)number;
        return true;
    }

    private bool ReadRequestFraming()
    {
        if (!ReadLength(out bool isFramed, out long length)) return false;
        if (isFramed) (Framing, ContentLength) = (length < 0 ? MessageFraming.Chunked : MessageFraming.ContentLength, length);
        return true;
    }

    private bool ReadResponseFraming(RequestMethod method)
    {
        if (!ReadLength(out bool isFramed, out long length)) return false;
        int status = int.Parse(First, CultureInfo.InvariantCulture);
        if (status < 200) return !isFramed;
        if (status == 204) return !isFramed || length == 0;
        if (method == RequestMethod.Head || status == 304) ContentLength = length;
        else if (method == RequestMethod.Connect && status < 300) return true;
        else if (isFramed) (Framing, ContentLength) = (length < 0 ? MessageFraming.Chunked : MessageFraming.ContentLength, length);
        else Framing = MessageFraming.UntilClose;
        return true;
    }

    // §9.3
    private bool Persists() => !Elements("Connection").Contains("close") && (Elements("Connection").Contains("keep-alive") || MinorVersion == 1);
}
