using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// What an operator wants purged by URL: "https://host/path?query", or all that begins so with a '*' at the end ("https://host/images/*"). A prefix is one of bytes:
/// "/a*" is about "/ab" too. Tags are compared as they are, case included.
/// </summary>
public sealed class PurgeTarget
{
    private const int UrlCharactersMax = 8 * 1024;

    private readonly byte[] _authority, _path, _query;

    private PurgeTarget(bool isHttps, byte[] authority, byte[] path, byte[] query, bool isPrefix)
    {
        IsHttps = isHttps;
        _authority = authority;
        _path = path;
        _query = query;
        IsPrefix = isPrefix;
    }

    /// <summary>The scheme.</summary>
    public bool IsHttps { get; }

    /// <summary>All that begins so.</summary>
    public bool IsPrefix { get; }

    /// <summary>Host, with port if any.</summary>
    public ReadOnlySpan<byte> Authority => _authority;

    /// <summary>Path in normal form.</summary>
    public ReadOnlySpan<byte> Path => _path;

    /// <summary>Query with its '?'; may be empty.</summary>
    public ReadOnlySpan<byte> Query => _query;

    /// <summary>Reads a URL. Null where it is none; the reason is one sentence for whoever wrote it.</summary>
    public static PurgeTarget? Parse(string url, out string? reason)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (url.Length > UrlCharactersMax) return Fail($"A URL of at most {UrlCharactersMax} characters.", out reason);
        // The parser of requests knows what an authority and a target are; what it refuses, no client can have asked for.
        bool isPrefix = url.EndsWith('*');
        string text = isPrefix ? url[..^1] : url;
        if (text.Any(c => c is <= ' ' or > '~')) return Fail("Only printable ASCII; what else there is in a URL is percent-encoded.", out reason);
        byte[] bytes = Encoding.ASCII.GetBytes($"GET {text} HTTP/1.1\r\nHost:\r\n\r\n");
        var head = new RequestHead();
        if (head.Parse(bytes, new(UrlCharactersMax + 64, 2 * UrlCharactersMax, 4)) != ParseStatus.Complete || head.TargetForm != TargetForm.Absolute)
            return Fail("A URL with scheme and host, as \"https://example.com/path\"; '*' may stand at its end.", out reason);
        byte[] path = head.PathLength == 0 ? [(byte)'/'] : bytes.AsSpan(head.PathStart, head.PathLength).ToArray();
        int length = PathNormalizer.Normalize(path, path);
        if (length < 0) return Fail("Its path has a percent-encoding that is malformed.", out reason);
        reason = null;
        return new(head.IsHttpsTarget, bytes.AsSpan(head.AuthorityStart, head.AuthorityLength).ToArray(), path[..length], bytes.AsSpan(head.QueryStart, head.QueryLength).ToArray(), isPrefix);
    }

    /// <summary>Writes the key to purge, or what the keys to purge begin with. False where it does not fit.</summary>
    /// <param name="key">The options by which keys are made.</param>
    /// <param name="destination">For the key.</param>
    /// <param name="length">Of what is written.</param>
    /// <param name="isPrefix">What is written is a prefix: asked for, or because keys have request fields or cookies in them.</param>
    public bool TryWrite(CacheKey key, Span<byte> destination, out int length, out bool isPrefix)
    {
        ArgumentNullException.ThrowIfNull(key);
        isPrefix = IsPrefix || key.HasRequestParts;
        if (!IsPrefix) return key.TryWriteResource(destination, IsHttps, _authority, _path, _query, out length);
        if (!key.TryWritePrefix(destination, IsHttps, _authority, _path, out length)) return false;
        // A prefix that ends within the query is taken as it is: with a query that is sorted or left out there is no such thing, and all of the path goes.
        return !key.KeepsQuery || CacheKey.TryAppend(destination, ref length, _query);
    }

    private static PurgeTarget? Fail(string message, out string? reason)
    {
        reason = message;
        return null;
    }
}
