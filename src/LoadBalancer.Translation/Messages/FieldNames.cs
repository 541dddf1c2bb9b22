using System.Buffers;

namespace LoadBalancer.Translation.Messages;

/// <summary>Names of header fields.</summary>
internal static class FieldNames
{
    // RFC 9110 §5.6.2
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // What frames a message or describes its body is kept right by who translates it.
    private static readonly HashSet<string> Managed = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Content-Length", "Content-Encoding", "Content-Range", "Expect", "Range", "Accept-Ranges",
        "ETag", "If-Match", "If-None-Match", "If-Range", "Location", "Content-Location", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest",
    };

    internal static bool IsToken(string name) => name.Length is > 0 and <= 128 && !name.AsSpan().ContainsAnyExcept(TokenCharacters);

    internal static bool IsValue(ReadOnlySpan<byte> value)
    {
        foreach (byte b in value) if (b is < 0x20 or 0x7F) return false;
        return value.IsEmpty || (value[0] != ' ' && value[^1] != ' ');
    }

    internal static bool IsManaged(string name) => Managed.Contains(name);
}
