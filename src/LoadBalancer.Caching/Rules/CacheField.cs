using System.Text;

namespace LoadBalancer.Caching.Rules;

/// <summary>The fields that the rules look at, told apart by length first: one pass over the lines of a head finds all of them.</summary>
internal enum CacheField : byte
{
    Other,
    Age,
    Authorization,
    CacheControl,
    CacheTag,
    CdnCacheControl,
    ContentEncoding,
    ContentLanguage,
    ContentLocation,
    ContentRange,
    ContentType,
    ETag,
    Expires,
    IfMatch,
    IfModifiedSince,
    IfNoneMatch,
    IfRange,
    IfUnmodifiedSince,
    LastModified,
    TargetOverride,
    Pragma,
    ProxyClaim,
    Range,
    RepresentationMetadata,
    SetCookie,
    SurrogateKey,
    Vary,
}

internal static class CacheFields
{
    internal static CacheField Of(ReadOnlySpan<byte> name)
    {
        switch (name.Length)
        {
            case 3: return Is(name, "age"u8, CacheField.Age);
            case 4: return Is(name, "etag"u8, CacheField.ETag, "vary"u8, CacheField.Vary);
            case 5: return Is(name, "range"u8, CacheField.Range);
            case 6: return Is(name, "pragma"u8, CacheField.Pragma, "x-host"u8, CacheField.TargetOverride);
            case 7: return Is(name, "expires"u8, CacheField.Expires);
            case 8: return Is(name, "if-match"u8, CacheField.IfMatch, "if-range"u8, CacheField.IfRange);
            case 9: return Is(name, "cache-tag"u8, CacheField.CacheTag);
            case 10: return Is(name, "set-cookie"u8, CacheField.SetCookie);
            case 11: return Is(name, "content-md5"u8, CacheField.RepresentationMetadata, "repr-digest"u8, CacheField.RepresentationMetadata);
            case 12: return Is(name, "content-type"u8, CacheField.ContentType);
            case 13: return Of13(name);
            case 14: return Is(name, "content-digest"u8, CacheField.RepresentationMetadata, "x-original-url"u8, CacheField.TargetOverride, "x-original-uri"u8, CacheField.ProxyClaim);
            case 15: return Is(name, "x-original-host"u8, CacheField.TargetOverride, "x-forwarded-ssl"u8, CacheField.ProxyClaim, "front-end-https"u8, CacheField.ProxyClaim);
            case 16:
                if (!Ascii.EqualsIgnoreCase(name[..8], "content-"u8)) return Is(name, "x-forwarded-port"u8, CacheField.ProxyClaim, "x-forwarded-path"u8, CacheField.ProxyClaim);
                CacheField content = Is(name[8..], "encoding"u8, CacheField.ContentEncoding, "location"u8, CacheField.ContentLocation);
                return content != CacheField.Other ? content : Is(name[8..], "language"u8, CacheField.ContentLanguage);
            case 17:
                CacheField field = Is(name, "if-modified-since"u8, CacheField.IfModifiedSince, "cdn-cache-control"u8, CacheField.CdnCacheControl);
                return field != CacheField.Other ? field : Is(name, "x-method-override"u8, CacheField.TargetOverride);
            case 18: return Is(name, "x-forwarded-prefix"u8, CacheField.ProxyClaim, "x-forwarded-scheme"u8, CacheField.ProxyClaim, "x-forwarded-server"u8, CacheField.ProxyClaim);
            case 19: return Is(name, "if-unmodified-since"u8, CacheField.IfUnmodifiedSince);
            case 20: return Is(name, "x-http-host-override"u8, CacheField.TargetOverride);
            case 22: return Is(name, "x-http-method-override"u8, CacheField.TargetOverride);
            default: return CacheField.Other;
        }
    }

    private static CacheField Of13(ReadOnlySpan<byte> name) => (name[0] | 0x20) switch
    {
        'a' => Is(name, "authorization"u8, CacheField.Authorization),
        'c' => Is(name, "cache-control"u8, CacheField.CacheControl, "content-range"u8, CacheField.ContentRange),
        'i' => Is(name, "if-none-match"u8, CacheField.IfNoneMatch),
        'l' => Is(name, "last-modified"u8, CacheField.LastModified),
        's' => Is(name, "surrogate-key"u8, CacheField.SurrogateKey),
        'x' => Is(name, "x-http-method"u8, CacheField.TargetOverride, "x-rewrite-url"u8, CacheField.TargetOverride),
        _ => CacheField.Other,
    };

    private static CacheField Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> a, CacheField isA, ReadOnlySpan<byte> b = default, CacheField isB = default,
        ReadOnlySpan<byte> c = default, CacheField isC = default) =>
        Ascii.EqualsIgnoreCase(name, a) ? isA : Ascii.EqualsIgnoreCase(name, b) ? isB : Ascii.EqualsIgnoreCase(name, c) ? isC : CacheField.Other;
}
