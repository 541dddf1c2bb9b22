using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>What the rules need to know of a request, found in one pass over its fields. A value of offsets: it is good as long as the head and its bytes are.</summary>
public struct RequestFacts
{
    /// <summary>Looks at a request.</summary>
    // Hot path: per request. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public static RequestFacts Of(RequestHead head, ReadOnlySpan<byte> bytes)
    {
        var facts = new RequestFacts
        {
            Method = head.Method,
            IsPlain = !head.HasBody && !head.IsUpgrade && !head.ExpectContinue && !head.IsServerWide,
        };
        bool hasCacheControl = false;
        int pragma = -1;
        for (int i = 0; i < head.FieldCount; i++)
        {
            if (head.Fields[i].Known != KnownField.Other) continue;
            switch (CacheFields.Of(head.NameOf(i, bytes)))
            {
                case CacheField.CacheControl:
                    hasCacheControl = true;
                    facts._control.Add(head.ValueOf(i, bytes));
                    break;
                case CacheField.Pragma: if (pragma < 0) pragma = i; break;
                case CacheField.Authorization: facts.HasAuthorization = true; break;
                case CacheField.IfNoneMatch: if (facts.IfNoneMatch < 0) facts.IfNoneMatch = i; break;
                case CacheField.IfModifiedSince: facts.IfModifiedSince = facts.IfModifiedSince == -1 ? i : -2; break;
                case CacheField.IfMatch or CacheField.IfUnmodifiedSince: facts.HasPrecondition = true; break;
                case CacheField.Range: facts.Range = facts.Range == -1 ? i : -2; break;
                case CacheField.IfRange: facts.IfRange = facts.IfRange == -1 ? i : -2; break;
                case CacheField.TargetOverride: facts.IsPlain = false; break;
                case CacheField.ProxyClaim: facts.HasProxyClaims = true; break;
            }
        }
        if (!hasCacheControl && pragma >= 0) facts._control.AddPragma(head.ValueOf(pragma, bytes));
        return facts;
    }

    /// <summary>Nothing is known.</summary>
    public RequestFacts()
    {
    }

    private RequestCacheControl _control = new();

    /// <summary>The method.</summary>
    public RequestMethod Method { get; private set; }

    /// <summary>Its directives.</summary>
    public readonly RequestCacheControl Control => _control;

    /// <summary>
    /// Authorization is there (RFC 9111 §3.5). To be set also where the origin is told of the client by other means: a certificate, an identity that was checked before.
    /// </summary>
    public bool HasAuthorization { get; set; }

    /// <summary>X-Forwarded-Port, -Scheme, -Prefix and their kin are there: origins make URLs of them, and they are no part of the key. From somebody who is not believed: not for the cache.</summary>
    public bool HasProxyClaims { get; private set; }

    /// <summary>If-Match or If-Unmodified-Since is there: about the origin's state, so such a request is always forwarded (RFC 9110 §13.1.1, §13.1.4).</summary>
    public bool HasPrecondition { get; private set; }

    /// <summary>
    /// It asks for what its target names and nothing else: no body, no upgrade, no expectation, and no method, host or path in a field (X-HTTP-Method-Override,
    /// X-Original-URL, X-Host and their kin, which an origin may obey, but which are no part of the key).
    /// </summary>
    public bool IsPlain { get; private set; }

    /// <summary>Index of the first If-None-Match line; -1 when there is none.</summary>
    public int IfNoneMatch { get; private set; } = -1;

    /// <summary>Index of the If-Modified-Since line; -1 when there is none, -2 when there are several (which count for none).</summary>
    public int IfModifiedSince { get; private set; } = -1;

    /// <summary>Index of the Range line; -1 when there is none, -2 when there are several.</summary>
    public int Range { get; private set; } = -1;

    /// <summary>Index of the If-Range line; -1 when there is none, -2 when there are several.</summary>
    public int IfRange { get; private set; } = -1;

    /// <summary>
    /// The request may be answered from the cache, and its answer may get in: a plain GET or HEAD. A HEAD is answered from what a GET brought and is never stored itself.
    /// Others pass; they may invalidate.
    /// </summary>
    public readonly bool MayBeAnswered => IsPlain && !HasPrecondition && (Method is RequestMethod.Get or RequestMethod.Head);
}
