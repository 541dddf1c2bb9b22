using System.Globalization;
using System.Text;

namespace LoadBalancer.Http.Tests;

/// <summary>Parses samples whole and in pieces, and describes the outcome as text, so that two ways of arriving can be compared.</summary>
internal static class Wire
{
    internal static readonly HeadLimits Limits = new(1024, 4096, 64);

    /// <summary>Latin-1: one char is one byte.</summary>
    internal static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    internal static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    internal static RequestHead Request(string text) => Request(text, Limits);

    internal static RequestHead Request(string text, HeadLimits limits)
    {
        var head = new RequestHead();
        byte[] bytes = Bytes(text);
        ParseStatus status = head.Parse(bytes, limits);
        AssertSplitsAgree(bytes, limits, Describe(head, status, bytes));
        return head;
    }

    internal static RequestHead GoodRequest(string text)
    {
        RequestHead head = Request(text);
        Assert.That(head.Rejection, Is.EqualTo(RejectionReason.None));
        Assert.That(head.Length, Is.GreaterThan(0), "incomplete");
        return head;
    }

    internal static ResponseHead Response(string text, RequestMethod method = RequestMethod.Get)
    {
        var head = new ResponseHead();
        byte[] bytes = Bytes(text);
        string whole = Describe(head, head.Parse(bytes, Limits, method), bytes);
        for (int split = 0; split <= bytes.Length; split++)
        {
            var other = new ResponseHead();
            ParseStatus status = other.Parse(bytes.AsSpan(0, split).ToArray(), Limits, method);
            if (status == ParseStatus.NeedMore) status = other.Parse(bytes, Limits, method);
            Assert.That(Describe(other, status, bytes), Is.EqualTo(whole), $"split at {split}");
        }
        var drip = new ResponseHead();
        ParseStatus last = ParseStatus.NeedMore;
        for (int n = 0; n <= bytes.Length && last == ParseStatus.NeedMore; n++) last = drip.Parse(bytes.AsSpan(0, n).ToArray(), Limits, method);
        Assert.That(Describe(drip, last, bytes), Is.EqualTo(whole), "byte by byte");
        return head;
    }

    internal static ResponseHead GoodResponse(string text, RequestMethod method = RequestMethod.Get)
    {
        ResponseHead head = Response(text, method);
        Assert.That(head.Rejection, Is.EqualTo(RejectionReason.None));
        Assert.That(head.Length, Is.GreaterThan(0), "incomplete");
        return head;
    }

    internal static void AssertSplitsAgree(byte[] bytes, HeadLimits limits, string whole)
    {
        for (int split = 0; split <= bytes.Length; split++)
        {
            var head = new RequestHead();
            ParseStatus status = head.Parse(bytes.AsSpan(0, split).ToArray(), limits);
            if (status == ParseStatus.NeedMore) status = head.Parse(bytes, limits);
            Assert.That(Describe(head, status, bytes), Is.EqualTo(whole), $"split at {split}");
        }
        AssertDripAgrees(bytes, limits, whole);
    }

    internal static void AssertDripAgrees(byte[] bytes, HeadLimits limits, string whole)
    {
        var drip = new RequestHead();
        ParseStatus status = ParseStatus.NeedMore;
        for (int n = 0; n <= bytes.Length && status == ParseStatus.NeedMore; n++) status = drip.Parse(bytes.AsSpan(0, n), limits);
        Assert.That(Describe(drip, status, bytes), Is.EqualTo(whole), "byte by byte");
    }

    internal static string Describe(RequestHead head, ParseStatus status, byte[] bytes)
    {
        if (status != ParseStatus.Complete) return $"{status} {head.Rejection}";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{head.Method} {head.MethodStart}+{head.MethodLength} {head.TargetForm} {head.TargetStart}+{head.TargetLength} a{head.AuthorityStart}+{head.AuthorityLength} ");
        text.Append(CultureInfo.InvariantCulture, $"p{head.PathStart}+{head.PathLength} q{head.QueryStart}+{head.QueryLength} {head.IsHttpsTarget} {head.ExpectContinue} {head.MaxForwards} ");
        return Describe(text, head, bytes);
    }

    internal static string Describe(ResponseHead head, ParseStatus status, byte[] bytes)
    {
        if (status != ParseStatus.Complete) return $"{status} {head.Rejection}";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{head.Status} {head.ReasonStart}+{head.ReasonLength} ");
        return Describe(text, head, bytes);
    }

    private static string Describe(StringBuilder text, MessageHead head, byte[] bytes)
    {
        text.Append(CultureInfo.InvariantCulture, $"1.{head.MinorVersion} {head.Framing} {head.ContentLength} {head.KeepAlive} {head.IsUpgrade} {head.AcceptsTrailers} {head.Present:X} {head.FieldsStart} {head.Length}");
        for (int i = 0; i < head.FieldCount; i++)
        {
            FieldLine f = head.Fields[i];
            text.Append(CultureInfo.InvariantCulture, $"|{Text(head.NameOf(i, bytes))}={Text(head.ValueOf(i, bytes))} {f.Known} {f.IsHopByHop} {f.NameStart} {f.LineEnd}");
        }
        return text.ToString();
    }

    /// <summary>Names of the fields that must not be forwarded, in order.</summary>
    internal static string Dropped(FieldSection section, string text)
    {
        byte[] bytes = Bytes(text);
        var names = new List<string>();
        for (int i = 0; i < section.FieldCount; i++) if (section.Fields[i].IsHopByHop) names.Add(Text(section.NameOf(i, bytes)));
        return string.Join(' ', names);
    }
}
