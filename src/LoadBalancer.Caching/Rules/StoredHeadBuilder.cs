using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>Makes a <see cref="StoredHead"/> of a response that may be stored (RFC 9111 §3.1). Per stored response, not per hit: it allocates what is kept.</summary>
public static class StoredHeadBuilder
{
    private static readonly HeadLimits s_limits = new(StoredHead.LinesBytesMax, StoredHead.LinesBytesMax + 1024, 1024);

    /// <summary>Makes it. Any other verdict than Storable: the head is null, and the response is not stored.</summary>
    /// <param name="request">The request that brought it, as the client sent it: Vary is about its fields.</param>
    /// <param name="requestBytes">Its bytes.</param>
    /// <param name="response">The response.</param>
    /// <param name="responseBytes">Its bytes.</param>
    /// <param name="facts">Of the response.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="requestTime">When the request was sent to the origin, in milliseconds since the Unix epoch.</param>
    /// <param name="responseTime">When the head of the response came.</param>
    /// <param name="dropMask">A bit for each <see cref="KnownField"/> that the caller writes itself and so does not want kept.</param>
    /// <param name="head">What is kept.</param>
    public static StoreVerdict Build(RequestHead request, ReadOnlySpan<byte> requestBytes, ResponseHead response, ReadOnlySpan<byte> responseBytes, in ResponseFacts facts,
        CachePolicy policy, long requestTime, long responseTime, uint dropMask, out StoredHead? head) =>
        Build(request, requestBytes, response, responseBytes, facts, policy, requestTime, responseTime, dropMask, response.ContentLength, [], out head);

    internal static StoreVerdict Build(RequestHead request, ReadOnlySpan<byte> requestBytes, ResponseHead response, ReadOnlySpan<byte> responseBytes, in ResponseFacts facts,
        CachePolicy policy, long requestTime, long responseTime, uint dropMask, long contentLength, IReadOnlyList<string> oldTags, out StoredHead? head)
    {
        head = null;
        if (!TryReadTags(response, responseBytes, out string[] tags)) return StoreVerdict.TooManyTags;
        if (tags.Length == 0 && oldTags.Count > 0) tags = [.. oldTags];
        StoreVerdict verdict = Selection.Build(response, responseBytes, policy, request, requestBytes, out byte[] selection);
        if (verdict != StoreVerdict.Storable) return verdict;

        byte[] bytes = new byte[response.Length + 96];
        int length = Append(bytes, 0, "HTTP/1.1 "u8);
        length += HeadWriter.WriteInt64(bytes.AsSpan(length), response.Status);
        bytes[length++] = (byte)' ';
        length = Append(bytes, length, responseBytes.Slice(response.ReasonStart, response.ReasonLength));
        int statusLine = length = Append(bytes, length, "\r\n"u8);
        dropMask &= ~(1u << (int)KnownField.Date);
        if (facts.Date == ResponseFacts.NoDate)
        {
            // RFC 9110 §6.6.1: who stores a response without one adds when it came.
            length = Append(bytes, length, "Date: "u8);
            HttpTime.Write(bytes.AsSpan(length), responseTime);
            length = Append(bytes, length + HttpTime.DateBytes, "\r\n"u8);
            dropMask |= 1u << (int)KnownField.Date;
        }
        length = AppendLines(bytes, length, response, responseBytes, facts, policy, dropMask, describesContent: false);
        int notModified = length;
        length = AppendLines(bytes, length, response, responseBytes, facts, policy, dropMask, describesContent: true);
        if (length > StoredHead.LinesBytesMax) return StoreVerdict.HeadTooLarge;
        length = Append(bytes, length, "\r\n"u8);
        Array.Resize(ref bytes, length);

        var parsed = new ResponseHead();
        if (parsed.Parse(bytes, s_limits, RequestMethod.Get) != ParseStatus.Complete) return StoreVerdict.HeadTooLarge;
        head = new StoredHead(bytes, statusLine, notModified, selection, tags, parsed, contentLength, StoredTimes.Of(facts, policy, requestTime, responseTime));
        return StoreVerdict.Storable;
    }

    /// <summary>Whether a line describes the content, so that a 304 does not carry it (RFC 9110 §15.4.5).</summary>
    internal static bool DescribesContent(CacheField field, bool hasETag) =>
        field is CacheField.ContentType or CacheField.ContentEncoding or CacheField.ContentLanguage or CacheField.ContentRange or CacheField.RepresentationMetadata
        || (field == CacheField.LastModified && hasETag);

    private static int AppendLines(byte[] bytes, int length, ResponseHead response, ReadOnlySpan<byte> responseBytes, in ResponseFacts facts, CachePolicy policy, uint dropMask,
        bool describesContent)
    {
        const uint Never = FieldSection.HopByHop | 1u << (int)KnownField.ContentLength | 1u << (int)KnownField.Trailer;
        for (int i = 0; i < response.FieldCount; i++)
        {
            ref FieldLine line = ref response.Fields[i];
            if (line.IsHopByHop || ((Never | dropMask) >> (int)line.Known & 1) != 0 && line.Known != KnownField.Other) continue;
            ReadOnlySpan<byte> name = response.NameOf(i, responseBytes);
            CacheField field = line.Known == KnownField.Other ? CacheFields.Of(name) : CacheField.Other;
            // Set-Cookie: stored only where it was to be left out. Age: written anew with each answer.
            if (field is CacheField.Age or CacheField.SetCookie) continue;
            if (field is CacheField.SurrogateKey or CacheField.CacheTag && !policy.SendsTags) continue;
            if (DescribesContent(field, facts.HasETag) != describesContent) continue;
            if (FieldsToDrop.NamesField(response, responseBytes, facts.Control, name)) continue;
            length = Append(bytes, length, responseBytes[line.NameStart..line.LineEnd]);
        }
        return length;
    }

    private static bool TryReadTags(ResponseHead response, ReadOnlySpan<byte> bytes, out string[] tags)
    {
        HashSet<string>? found = null;
        tags = [];
        for (int i = 0; i < response.FieldCount; i++)
        {
            if (response.Fields[i].Known != KnownField.Other) continue;
            CacheField field = CacheFields.Of(response.NameOf(i, bytes));
            if (field is not (CacheField.SurrogateKey or CacheField.CacheTag)) continue;
            ReadOnlySpan<byte> value = response.ValueOf(i, bytes);
            foreach (Range range in field == CacheField.SurrogateKey ? value.Split((byte)' ') : value.Split((byte)','))
            {
                ReadOnlySpan<byte> tag = value[range].Trim(" \t"u8);
                if (tag.IsEmpty) continue;
                if ((found ??= new(StringComparer.Ordinal)).Add(Encoding.Latin1.GetString(tag)) && found.Count > StoredHead.TagsMax) return false;
                if (tag.Length > StoredHead.TagBytesMax) return false;
            }
        }
        if (found is not null) tags = [.. found];
        return true;
    }

    private static int Append(byte[] destination, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination.AsSpan(at));
        return at + bytes.Length;
    }
}
