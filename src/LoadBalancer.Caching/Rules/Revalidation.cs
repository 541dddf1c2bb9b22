using System.Buffers;
using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>What a 304, or an answer to HEAD, does to stored responses (RFC 9111 §4.3.3 to §4.3.5). Per revalidation: it allocates the new head.</summary>
public static class Revalidation
{
    private static readonly HeadLimits s_limits = new(3 * StoredHead.LinesBytesMax, 3 * StoredHead.LinesBytesMax, 2048);

    /// <summary>
    /// Whether a 304 is about this stored response (§4.3.4): a strong entity tag has to be the same, a weak one and a Last-Modified have to fit; one without validators is
    /// about the one that was asked for, so it fits only where a single one was.
    /// </summary>
    /// <param name="stored">A response whose validators were sent.</param>
    /// <param name="notModified">The 304.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="wasAlone">Only this one's validators were sent.</param>
    public static bool IsAbout(StoredHead stored, ResponseHead notModified, ReadOnlySpan<byte> bytes, bool wasAlone)
    {
        ReadOnlySpan<byte> tag = ValidTag(notModified, bytes);
        if (!tag.IsEmpty)
            return !stored.ETag.IsEmpty && (EntityTag.IsWeak(tag) ? EntityTag.WeakEquals(tag, stored.ETag) : EntityTag.StrongEquals(tag, stored.ETag));
        int index = notModified.IndexOf("last-modified"u8, bytes);
        long modified = index < 0 ? ResponseFacts.NoDate : HttpTime.Read(notModified.ValueOf(index, bytes));
        return modified == ResponseFacts.NoDate ? wasAlone : modified == stored.LastModified;
    }

    /// <summary>
    /// Whether a 200 to HEAD confirms a stored response to GET (§4.3.5): its validators and its Content-Length, as far as it has them, are the same. Where not, the stored
    /// one is to be taken for stale.
    /// </summary>
    public static bool IsConfirmedByHead(StoredHead stored, ResponseHead response, ReadOnlySpan<byte> bytes, long bodyLength)
    {
        if (response.Status != stored.Status) return false;
        ReadOnlySpan<byte> tag = ValidTag(response, bytes);
        if (!tag.IsEmpty && (stored.ETag.IsEmpty || !tag.SequenceEqual(stored.ETag))) return false;
        int index = response.IndexOf("last-modified"u8, bytes);
        if (index >= 0 && HttpTime.Read(response.ValueOf(index, bytes)) is var modified && modified != stored.LastModified) return false;
        return response.ContentLength < 0 || response.ContentLength == bodyLength;
    }

    /// <summary>
    /// The stored response with the fields of a 304, or of an answer to HEAD, in place of its own of the same names (§3.2): all but those that describe the content that is
    /// stored (Content-Length, -Encoding, -Type, -Range) and those that are not stored. Any other verdict than Storable: it may be sent to the request that brought it, but
    /// is no longer to be kept.
    /// </summary>
    /// <param name="stored">The stored response.</param>
    /// <param name="request">The client's request. The new head is selected for it, so that the caller stores it as a further variant where it is one.</param>
    /// <param name="requestBytes">Its bytes.</param>
    /// <param name="requestFacts">Of the request; its method may be HEAD.</param>
    /// <param name="update">The 304 or the answer to HEAD.</param>
    /// <param name="updateBytes">Its bytes.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="requestTime">When the request was sent to the origin.</param>
    /// <param name="responseTime">When the answer came.</param>
    /// <param name="dropMask">As for <see cref="StoredHeadBuilder.Build(RequestHead, ReadOnlySpan{byte}, ResponseHead, ReadOnlySpan{byte}, in ResponseFacts, CachePolicy, long, long, uint, out StoredHead?)"/>.</param>
    /// <param name="merged">The new head; not null where it could be made, whatever the verdict.</param>
    public static StoreVerdict Merge(StoredHead stored, RequestHead request, ReadOnlySpan<byte> requestBytes, in RequestFacts requestFacts, ResponseHead update,
        ReadOnlySpan<byte> updateBytes, CachePolicy policy, long requestTime, long responseTime, uint dropMask, out StoredHead? merged)
    {
        merged = null;
        byte[] bytes = MergeLines(stored, update, updateBytes);
        var head = new ResponseHead();
        if (head.Parse(bytes, s_limits, RequestMethod.Get) != ParseStatus.Complete) return StoreVerdict.HeadTooLarge;
        ResponseFacts facts = ResponseFacts.Of(head, bytes, policy);
        StoreVerdict verdict = requestFacts.Method == RequestMethod.Head ? Storability.DecideResponse(requestFacts, facts, policy) : Storability.Decide(requestFacts, facts, policy);
        StoreVerdict built = StoredHeadBuilder.Build(request, requestBytes, head, bytes, facts, policy, requestTime, responseTime, dropMask, stored.ContentLength, stored.Tags, out merged);
        return built == StoreVerdict.Storable ? verdict : built;
    }

    private static byte[] MergeLines(StoredHead stored, ResponseHead update, ReadOnlySpan<byte> updateBytes)
    {
        byte[] old = stored.Bytes;
        var parsed = new ResponseHead();
        parsed.Parse(old, s_limits, RequestMethod.Get); // it was parsed when it was made
        var output = new ArrayBufferWriter<byte>(old.Length + update.Length + 64);
        output.Write(old.AsSpan(0, stored.StatusLineLength));
        for (int i = 0; i < parsed.FieldCount; i++)
        {
            ref FieldLine line = ref parsed.Fields[i];
            // Without a Date of its own the answer is of now, and the old one would make it look old: the builder adds one.
            if (line.Known == KnownField.Date || IsReplaced(update, updateBytes, parsed.NameOf(i, old))) continue;
            output.Write(old.AsSpan(line.NameStart, line.LineEnd - line.NameStart));
        }
        for (int i = 0; i < update.FieldCount; i++)
        {
            ref FieldLine line = ref update.Fields[i];
            if (IsUpdating(update, i, updateBytes)) output.Write(updateBytes[line.NameStart..line.LineEnd]);
        }
        // Framing that the body has by now; the builder leaves it out.
        if (stored.Status != 204) output.Write("Content-Length: 0\r\n"u8);
        output.Write("\r\n"u8);
        return output.WrittenSpan.ToArray();
    }

    private static bool IsReplaced(ResponseHead update, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < update.FieldCount; i++)
            if (update.Fields[i].NameLength == name.Length && Ascii.EqualsIgnoreCase(update.NameOf(i, bytes), name)) return IsUpdating(update, i, bytes);
        return false;
    }

    private static bool IsUpdating(ResponseHead update, int index, ReadOnlySpan<byte> bytes)
    {
        ref FieldLine line = ref update.Fields[index];
        if (line.IsHopByHop || line.Known is KnownField.ContentLength or KnownField.TransferEncoding or KnownField.Trailer) return false;
        if (line.Known != KnownField.Other) return true;
        return CacheFields.Of(update.NameOf(index, bytes)) is not (CacheField.ContentEncoding or CacheField.ContentType or CacheField.ContentRange or CacheField.SetCookie);
    }

    private static ReadOnlySpan<byte> ValidTag(ResponseHead head, ReadOnlySpan<byte> bytes)
    {
        int index = head.IndexOf("etag"u8, bytes);
        ReadOnlySpan<byte> tag = index < 0 ? default : head.ValueOf(index, bytes);
        return EntityTag.IsValid(tag) ? tag : default;
    }
}
