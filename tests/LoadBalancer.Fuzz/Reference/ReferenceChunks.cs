using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Reference;

/// <summary>The chunked coding (RFC 9112 §7.1) read the plain way, up to the trailer section.</summary>
internal static class ReferenceChunks
{
    private const string Token = @"[!#$%&'*+\-.^_`|~0-9A-Za-z]+";
    private const string Quoted = "\"(?:[^\"\\\\\\x00-\\x08\\x0A-\\x1F\\x7F]|\\\\[^\\x00-\\x08\\x0A-\\x1F\\x7F])*\"";
    private static readonly Regex SizeLine = new($@"\A([0-9A-Fa-f]{{1,16}})((?:[ \t]*;[ \t]*{Token}(?:[ \t]*=[ \t]*(?:{Token}|{Quoted}))?)*)\z", RegexOptions.Singleline);

    /// <summary>
    /// The verdict, the offset behind the last chunk's line when complete, and the data. A line or a chunk's end that is not whole yet is
    /// "more", even where no continuation could be right.
    /// </summary>
    internal static (ParseStatus Verdict, int End, string Data) Read(string text)
    {
        string data = "";
        int at = 0, extensions = 0;
        while (true)
        {
            int lineEnd = text.IndexOf("\r\n", at, StringComparison.Ordinal);
            if (lineEnd < 0) return (ParseStatus.NeedMore, 0, data);
            Match line = SizeLine.Match(text[at..lineEnd]);
            if (!line.Success) return (ParseStatus.Rejected, 0, data);
            extensions += line.Groups[2].Length;
            if (line.Groups[2].Length > ChunkedDecoder.ChunkExtensionBytesMax || extensions > ChunkedDecoder.MessageExtensionBytesMax) return (ParseStatus.Rejected, 0, data);
            BigInteger size = BigInteger.Parse("0" + line.Groups[1].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size > long.MaxValue) return (ParseStatus.Rejected, 0, data);
            at = lineEnd + 2;
            if (size == 0) return (ParseStatus.Complete, at, data);
            int length = (int)BigInteger.Min(size, text.Length - at);
            data += text.Substring(at, length);
            at += length;
            if (text.Length - at < 2) return (ParseStatus.NeedMore, 0, data);
            if (text.Substring(at, 2) != "\r\n") return (ParseStatus.Rejected, 0, data);
            at += 2;
        }
    }
}
