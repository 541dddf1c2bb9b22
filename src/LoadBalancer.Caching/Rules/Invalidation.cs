using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>What an unsafe request makes invalid (RFC 9111 §4.4): its target, and what Location and Content-Location of its answer name at the same origin.</summary>
public static class Invalidation
{
    /// <summary>Whether it makes anything invalid: a method that is not known to be safe, and an answer that is no error (2xx, 3xx).</summary>
    public static bool Applies(RequestMethod method, int status) =>
        method is not (RequestMethod.Get or RequestMethod.Head or RequestMethod.Options or RequestMethod.Trace or RequestMethod.Connect) && status is >= 200 and < 400;

    /// <summary>
    /// Resolves a Location or Content-Location to the path and query of the same origin; false where it is of another one, or malformed, or too long. Another origin's
    /// responses must not be made invalid: anyone could empty the cache.
    /// </summary>
    /// <param name="reference">The field's value.</param>
    /// <param name="isHttps">Scheme of the target.</param>
    /// <param name="authority">Of the target.</param>
    /// <param name="normalPath">Of the target, which a relative reference is resolved with.</param>
    /// <param name="destination">For path and query.</param>
    /// <param name="pathLength">Length of the path, in normal form.</param>
    /// <param name="length">Length of path and query together.</param>
    public static bool TryResolve(ReadOnlySpan<byte> reference, bool isHttps, ReadOnlySpan<byte> authority, ReadOnlySpan<byte> normalPath, Span<byte> destination,
        out int pathLength, out int length)
    {
        pathLength = length = 0;
        int fragment = reference.IndexOf((byte)'#');
        if (fragment >= 0) reference = reference[..fragment];
        if (!TrySkipOrigin(ref reference, isHttps, authority)) return false;
        int question = reference.IndexOf((byte)'?');
        ReadOnlySpan<byte> path = question < 0 ? reference : reference[..question];
        ReadOnlySpan<byte> query = question < 0 ? default : reference[question..];

        // RFC 3986 §5.2.2, §5.2.3
        ReadOnlySpan<byte> before = default;
        if (path.IsEmpty) path = normalPath;
        else if (path[0] != '/') before = normalPath[..(normalPath.LastIndexOf((byte)'/') + 1)];
        if (before.Length + path.Length + query.Length > destination.Length) return false;
        before.CopyTo(destination);
        path.CopyTo(destination[before.Length..]);
        Span<byte> joined = destination[..(before.Length + path.Length)];
        if (joined.IsEmpty || joined[0] != '/' || joined.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) || query.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E)) return false;
        pathLength = PathNormalizer.Normalize(joined, joined);
        if (pathLength < 0) return false;
        query.CopyTo(destination[pathLength..]);
        length = pathLength + query.Length;
        return true;
    }

    // Leaves path and query of a reference that has our origin, or none.
    private static bool TrySkipOrigin(ref ReadOnlySpan<byte> reference, bool isHttps, ReadOnlySpan<byte> authority)
    {
        ReadOnlySpan<byte> rest = reference;
        if (!rest.StartsWith("//"u8))
        {
            int colon = rest.IndexOf((byte)':');
            int delimiter = rest.IndexOfAny((byte)'/', (byte)'?');
            if (colon < 0 || (delimiter >= 0 && delimiter < colon)) return true; // no scheme
            if (!Ascii.EqualsIgnoreCase(rest[..colon], isHttps ? "https"u8 : "http"u8)) return false;
            rest = rest[(colon + 1)..];
            if (!rest.StartsWith("//"u8)) return false;
        }
        rest = rest[2..];
        int end = rest.IndexOfAny((byte)'/', (byte)'?');
        ReadOnlySpan<byte> other = end < 0 ? rest : rest[..end];
        if (!Ascii.EqualsIgnoreCase(CacheKey.WithoutDefaultPort(other, isHttps), CacheKey.WithoutDefaultPort(authority, isHttps))) return false;
        // An empty path after an authority is "/" (RFC 9110 §4.2.3).
        reference = end < 0 ? "/"u8 : rest[end..];
        return reference[0] == '/';
    }
}
