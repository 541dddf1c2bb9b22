using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// Writes primary keys (RFC 9111 §2). Immutable; any thread; never allocates. A key is its bytes, which the store compares in full: a hash only finds them.
/// </summary>
/// <remarks>
/// (space LF) scheme LF host LF path query LF, then for each field and cookie of the options '=' value LF, or '-' LF where the request has none. None of the parts can contain a
/// LF, so no request can write another's key. The part up to the third LF names the resource: a prefix of it is what a purge by prefix is about.
/// </remarks>
public sealed class CacheKey
{
    private readonly CacheKeyOptions _options;
    private readonly byte[][] _fields, _cookies;
    private readonly byte[] _space;
    private readonly QueryFilter? _filter;

    /// <summary>Prepares the options.</summary>
    public CacheKey(CacheKeyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _fields = [.. options.Fields.Select(f => Encoding.ASCII.GetBytes(f.ToLowerInvariant()))];
        _space = options.Space is { } space ? Encoding.UTF8.GetBytes(space + '\n') : [];
        _cookies = [.. options.Cookies.Select(Encoding.Latin1.GetBytes)];
        if (options.SortsQuery || options.Query is QueryRule.Except or QueryRule.Only) _filter = new QueryFilter(options);
    }

    /// <summary>Keys with nothing left out and nothing added.</summary>
    public static CacheKey Default { get; } = new(new());

    /// <summary>The key has the request's fields or cookies in it: a resource then has several keys, and invalidating it is purging a prefix.</summary>
    public bool HasRequestParts => _fields.Length + _cookies.Length > 0;

    /// <summary>The query stands in keys as it was sent.</summary>
    internal bool KeepsQuery => _filter is null && _options.Query == QueryRule.All;

    /// <summary>Writes the key of a request. False when it does not fit, or is ambiguous (a cookie that comes twice): such a request is not for the cache.</summary>
    /// <param name="destination">For the key.</param>
    /// <param name="isHttps">How the client asks.</param>
    /// <param name="request">The request.</param>
    /// <param name="requestBytes">Its bytes.</param>
    /// <param name="normalPath">Its path in normal form.</param>
    /// <param name="length">Of the key.</param>
    // Hot path: per request. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public bool TryWrite(Span<byte> destination, bool isHttps, RequestHead request, ReadOnlySpan<byte> requestBytes, ReadOnlySpan<byte> normalPath, out int length)
    {
        ReadOnlySpan<byte> host = requestBytes.Slice(request.AuthorityStart, request.AuthorityLength);
        ReadOnlySpan<byte> query = requestBytes.Slice(request.QueryStart, request.QueryLength);
        if (!TryWriteResource(destination, isHttps, host, normalPath, query, out length)) return false;
        for (int i = 0; i < _fields.Length; i++)
        {
            int first = request.IndexOf(_fields[i], requestBytes);
            if (destination.Length - length < 2) return false;
            destination[length++] = first < 0 ? (byte)'-' : (byte)'=';
            if (first >= 0)
            {
                int written = FieldNormalizer.Write(destination[length..], _fields[i], request, requestBytes, first);
                if (written < 0) return false;
                length += written;
            }
            if (!TryEnd(destination, ref length)) return false;
        }
        for (int i = 0; i < _cookies.Length; i++)
        {
            if (!TryFindCookie(request, requestBytes, _cookies[i], out bool isFound, out ReadOnlySpan<byte> value)) return false;
            if (!TryAppend(destination, ref length, isFound ? "="u8 : "-"u8) || !TryAppend(destination, ref length, value) || !TryEnd(destination, ref length)) return false;
        }
        return true;
    }

    /// <summary>Writes what follows the resource in the key of a request that has none of the fields and cookies. False where it does not fit.</summary>
    public bool TryAppendNoRequestParts(Span<byte> destination, ref int length)
    {
        for (int i = 0; i < _fields.Length + _cookies.Length; i++)
        {
            if (!TryAppend(destination, ref length, "-\n"u8)) return false;
        }
        return true;
    }

    /// <summary>Writes the part of a key that names the resource: the whole of it where <see cref="HasRequestParts"/> is false. For purging and invalidating.</summary>
    /// <param name="destination">For the key.</param>
    /// <param name="isHttps">The scheme.</param>
    /// <param name="authority">Host, with port if any.</param>
    /// <param name="normalPath">Path in normal form.</param>
    /// <param name="query">With its '?'; may be empty.</param>
    /// <param name="length">Of what is written.</param>
    public bool TryWriteResource(Span<byte> destination, bool isHttps, ReadOnlySpan<byte> authority, ReadOnlySpan<byte> normalPath, ReadOnlySpan<byte> query, out int length)
    {
        if (!TryWritePrefix(destination, isHttps, authority, normalPath, out length)) return false;
        if (_options.Query != QueryRule.None && query.Length > 1)
        {
            if (_filter is null)
            {
                if (!TryAppend(destination, ref length, query)) return false;
            }
            else if (!_filter.TryWrite(destination, ref length, query[1..])) return false;
        }
        return TryEnd(destination, ref length);
    }

    /// <summary>Writes the beginning of all keys of a host and the paths that begin with one: for purging by prefix.</summary>
    public bool TryWritePrefix(Span<byte> destination, bool isHttps, ReadOnlySpan<byte> authority, ReadOnlySpan<byte> pathPrefix, out int length)
    {
        length = 0;
        if (_space.Length > 0 && !TryAppend(destination, ref length, _space)) return false;
        if (_options.UsesScheme && !TryAppend(destination, ref length, isHttps ? "https"u8 : "http"u8)) return false;
        if (!TryEnd(destination, ref length)) return false;
        if (_options.UsesHost)
        {
            ReadOnlySpan<byte> host = WithoutDefaultPort(authority, isHttps);
            if (destination.Length - length < host.Length) return false;
            Ascii.ToLower(host, destination[length..], out int written);
            if (written != host.Length) return false; // not ASCII: no valid host
            length += written;
        }
        return TryEnd(destination, ref length) && TryAppend(destination, ref length, pathPrefix);
    }

    /// <summary>host:80 with http, host:443 with https, and "host:" are host (RFC 9110 §4.2.3).</summary>
    internal static ReadOnlySpan<byte> WithoutDefaultPort(ReadOnlySpan<byte> authority, bool isHttps)
    {
        int colon = authority.LastIndexOf((byte)':');
        if (colon < 0 || authority[colon..].Contains((byte)']')) return authority;
        ReadOnlySpan<byte> port = authority[(colon + 1)..];
        return port.IsEmpty || port.SequenceEqual(isHttps ? "443"u8 : "80"u8) ? authority[..colon] : authority;
    }

    // False when it occurs more than once: the origin may take another one than the cache.
    private static bool TryFindCookie(RequestHead request, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> name, out bool isFound, out ReadOnlySpan<byte> value)
    {
        isFound = false;
        value = default;
        for (int i = 0; i < request.FieldCount; i++)
        {
            if (request.Fields[i].NameLength != 6 || !Ascii.EqualsIgnoreCase(request.NameOf(i, bytes), "cookie"u8)) continue;
            ReadOnlySpan<byte> list = request.ValueOf(i, bytes);
            foreach (Range range in list.Split((byte)';'))
            {
                ReadOnlySpan<byte> pair = list[range].Trim(" \t"u8);
                int equals = pair.IndexOf((byte)'=');
                if (equals < 0 || !pair[..equals].TrimEnd(" \t"u8).SequenceEqual(name)) continue;
                if (isFound) return false;
                isFound = true;
                value = pair[(equals + 1)..].TrimStart(" \t"u8);
            }
        }
        return true;
    }

    internal static bool TryAppend(Span<byte> destination, ref int length, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.TryCopyTo(destination[length..])) return false;
        length += bytes.Length;
        return true;
    }

    private static bool TryEnd(Span<byte> destination, ref int length) => TryAppend(destination, ref length, "\n"u8);
}
