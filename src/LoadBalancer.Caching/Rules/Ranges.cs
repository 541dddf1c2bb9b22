using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// A client's Range and If-Range against a stored complete response (RFC 9110 §14.2, §13.1.5). No state; any thread; never allocates. Several ranges get the whole:
/// §14.2 allows it, no client in common use needs it, and overlapping ones were an attack (CVE-2011-3192).
/// </summary>
public static class Ranges
{
    /// <summary>What of the body the answer has. To be asked after <see cref="Conditional.IsNotModified"/> (RFC 9110 §13.2.2).</summary>
    /// <param name="facts">Of the request.</param>
    /// <param name="request">The request.</param>
    /// <param name="requestBytes">Its bytes.</param>
    /// <param name="stored">The stored response.</param>
    /// <param name="bodyLength">Length of the stored body; -1 when it is not known yet: then the whole.</param>
    /// <param name="range">The part, where it is one.</param>
    // Hot path: per hit with Range. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public static RangeVerdict Decide(in RequestFacts facts, RequestHead request, ReadOnlySpan<byte> requestBytes, StoredHead stored, long bodyLength, out ByteRange range)
    {
        range = default;
        // §14.2: defined for GET only; and there are no parts but of a 200.
        if (facts.Range < 0 || facts.Method != RequestMethod.Get || stored.Status != 200 || bodyLength < 0) return RangeVerdict.Whole;
        if (facts.IfRange != -1 && (facts.IfRange < 0 || !Holds(request.ValueOf(facts.IfRange, requestBytes), stored))) return RangeVerdict.Whole;
        return Parse(request.ValueOf(facts.Range, requestBytes), bodyLength, out range);
    }

    /// <summary>Reads a Range value. What has not the form of one range of bytes is ignored (§14.2): the whole.</summary>
    internal static RangeVerdict Parse(ReadOnlySpan<byte> value, long bodyLength, out ByteRange range)
    {
        range = default;
        if (value.Length < 7 || !Ascii.EqualsIgnoreCase(value[..6], "bytes="u8)) return RangeVerdict.Whole;
        value = value[6..].Trim(" \t"u8);
        int dash = value.IndexOf((byte)'-');
        if (dash < 0) return RangeVerdict.Whole;
        long last = ReadPosition(value[(dash + 1)..]);
        if (dash == 0)
        {
            if (last < 0) return RangeVerdict.Whole;
            if (last == 0) return RangeVerdict.Unsatisfiable; // §14.1.2: a suffix of nothing
            if (bodyLength == 0) return RangeVerdict.Whole; // all there is, and no 206 can say so
            range = new(Math.Max(0, bodyLength - last), bodyLength - 1);
            return RangeVerdict.Part;
        }
        long first = ReadPosition(value[..dash]);
        if (first < 0) return RangeVerdict.Whole;
        if (dash == value.Length - 1) last = long.MaxValue;
        else if (last < first) return RangeVerdict.Whole; // no number, or ends before it begins: invalid
        if (first >= bodyLength) return RangeVerdict.Unsatisfiable;
        range = new(first, Math.Min(last, bodyLength - 1));
        return RangeVerdict.Part;
    }

    // §13.1.5: an entity tag is compared strongly; a date has to be exactly the stored one, and that a strong validator: at least a second older than its Date (§8.8.2.2).
    private static bool Holds(ReadOnlySpan<byte> condition, StoredHead stored)
    {
        if (condition.IsEmpty) return false;
        if (condition[0] == '"' || EntityTag.IsWeak(condition)) return !stored.ETag.IsEmpty && EntityTag.StrongEquals(condition, stored.ETag);
        if (stored.LastModified == ResponseFacts.NoDate || stored.Date == ResponseFacts.NoDate || stored.Date - stored.LastModified < 1000) return false;
        return condition.SequenceEqual(stored.LastModifiedValue) || HttpTime.Read(condition) == stored.LastModified;
    }

    // 1*DIGIT; beyond what a long holds, its largest. -1 for what is none.
    private static long ReadPosition(ReadOnlySpan<byte> digits)
    {
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return -1;
        long number = 0;
        foreach (byte b in digits)
        {
            if (number > (long.MaxValue - 9) / 10) return long.MaxValue;
            number = number * 10 + (b - '0');
        }
        return number;
    }
}

/// <summary>What of a body an answer has.</summary>
public enum RangeVerdict : byte
{
    /// <summary>All of it: a 200.</summary>
    Whole,
    /// <summary>One part: a 206, <see cref="StoredHead.WritePartial"/>.</summary>
    Part,
    /// <summary>None, as the range begins behind the end: a 416, <see cref="StoredHead.WriteUnsatisfiable"/>.</summary>
    Unsatisfiable,
}
