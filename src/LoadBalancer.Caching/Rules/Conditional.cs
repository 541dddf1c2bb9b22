using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>A client's condition against a stored response (RFC 9111 §4.3.2, RFC 9110 §13). No state; any thread; never allocates.</summary>
public static class Conditional
{
    /// <summary>
    /// Whether the answer is a 304 rather than the stored response. If-None-Match counts before If-Modified-Since (RFC 9110 §13.2.2); neither counts where the answer
    /// would be no 2xx (§13.2.1). Requests with If-Match and If-Unmodified-Since do not come here: see <see cref="RequestFacts.HasPrecondition"/>.
    /// </summary>
    // Hot path: per hit. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public static bool IsNotModified(in RequestFacts facts, RequestHead request, ReadOnlySpan<byte> requestBytes, StoredHead stored)
    {
        if (stored.Status is < 200 or > 299) return false;
        if (facts.IfNoneMatch >= 0) return NamesTag(request, requestBytes, facts.IfNoneMatch, stored.ETag);
        if (facts.IfModifiedSince < 0) return false;
        ReadOnlySpan<byte> value = request.ValueOf(facts.IfModifiedSince, requestBytes);
        if (!value.IsEmpty && value.SequenceEqual(stored.LastModifiedValue) && stored.LastModified != ResponseFacts.NoDate) return true;
        long since = HttpTime.Read(value);
        if (since == ResponseFacts.NoDate) return false;
        // §4.3.2: without Last-Modified, Date stands for it.
        return (stored.LastModified == ResponseFacts.NoDate ? stored.Date : stored.LastModified) is var modified && modified != ResponseFacts.NoDate && modified <= since;
    }

    private static bool NamesTag(RequestHead request, ReadOnlySpan<byte> bytes, int first, ReadOnlySpan<byte> stored)
    {
        for (int i = first; i < request.FieldCount; i++)
        {
            if (request.Fields[i].Known != KnownField.Other || CacheFields.Of(request.NameOf(i, bytes)) != CacheField.IfNoneMatch) continue;
            ReadOnlySpan<byte> list = request.ValueOf(i, bytes);
            if (list.SequenceEqual("*"u8)) return true;
            if (stored.IsEmpty) continue;
            while (EntityTag.Next(ref list, out ReadOnlySpan<byte> tag)) if (EntityTag.WeakEquals(tag, stored)) return true;
        }
        return false;
    }
}
