using System.Buffers;
using System.Globalization;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>The rules of the cache: a response head and, behind it, the head of the request that brought it. What is stored and read back; also as the input of a disk.</summary>
internal sealed class CacheRulesTarget : IFuzzTarget
{
    private const long Now = 784_111_777_000;

    private readonly RequestHead _request = new();
    private readonly ResponseHead _response = new(), _again = new();
    private readonly byte[] _buffer = new byte[StoredHead.LinesBytesMax + 4096];

    public string Name => "cacherules";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        if (StoredHeadFormat.TryRead(input, out StoredHead? forged)) CheckWritten(forged!); // before it is anything else
        _response.Reset();
        if (_response.Parse(input, HeadLimits.Default, RequestMethod.Get) != ParseStatus.Complete) return "no response";
        byte[] requestBytes = input[_response.Length..];
        _request.Reset();
        if (_request.Parse(requestBytes, HeadLimits.Default) != ParseStatus.Complete) return "no request";

        CachePolicy policy = CachePolicy.Default;
        ResponseFacts facts = ResponseFacts.Of(_response, input, policy);
        RequestFacts request = RequestFacts.Of(_request, requestBytes);
        CheckDirectives(input, facts);
        StoreVerdict verdict = Storability.Decide(request, facts, policy);
        StoreVerdict built = StoredHeadBuilder.Build(_request, requestBytes, _response, input, facts, policy, Now - 10, Now, 0, out StoredHead? head);
        if (verdict != StoreVerdict.Storable || head is null) return $"{verdict} {built}";

        CheckWritten(head);
        if (!head.IsSelectedBy(_request, requestBytes)) throw new FuzzException("not selected by its own request");
        CheckReadBack(head);
        ReuseDecision decision = Reuse.Decide(head.Times, request.Control, policy, Now + 1000);
        if (decision.Kind == ReuseKind.Fresh && head.Times.FreshUntil <= Now + 1000) throw new FuzzException("fresh behind its end");
        if (decision.IsHit && (head.Times.Rules & ReuseRules.AlwaysValidate) != 0) throw new FuzzException("no-cache is a hit");
        RangeVerdict range = Ranges.Decide(request, _request, requestBytes, head, 10, out ByteRange part);
        if (range == RangeVerdict.Part && (part.First < 0 || part.Last > 9 || part.First > part.Last)) throw new FuzzException($"{part} of 10");
        CheckMerged(head, requestBytes, request, input);
        bool isNotModified = Conditional.IsNotModified(request, _request, requestBytes, head);
        return string.Create(CultureInfo.InvariantCulture, $"{decision.Kind} {decision.Reason} {head.Times.Source} {head.Times.Rules} {range} {isNotModified} {head.HasValidator} {facts.Control.Directives} {head.SelectedBy.IsEmpty}");
    }

    private void CheckDirectives(byte[] input, in ResponseFacts facts)
    {
        if (facts.Control.Has(CacheDirectives.Targeted)) return;
        var lines = new List<string>();
        for (int i = 0; i < _response.FieldCount; i++)
            if (Sections.Text(_response.NameOf(i, input)).Equals("Cache-Control", StringComparison.OrdinalIgnoreCase)) lines.Add(Sections.Text(_response.ValueOf(i, input)));
        CacheControl control = facts.Control;
        FuzzException.ThrowUnlessSame("directives", ReferenceCacheControl.Describe(lines),
            string.Create(CultureInfo.InvariantCulture, $"{control.MaxAge} {control.SharedMaxAge} {control.Has(CacheDirectives.NoStore)} {control.Has(CacheDirectives.Public)} {control.Has(CacheDirectives.MustRevalidate)}"));
    }

    // What goes to a client is a head as strict as any, without what must not be in it.
    private void CheckWritten(StoredHead head)
    {
        int length = head.Write(_buffer, 10, 7);
        "\r\n"u8.CopyTo(_buffer.AsSpan(length));
        _again.Reset();
        if (_again.Parse(_buffer.AsSpan(0, length + 2), new(1024, _buffer.Length, 2048), RequestMethod.Get) != ParseStatus.Complete || _again.Length != length + 2)
            throw new FuzzException($"a hit is no head: {_again.Rejection}");
        if ((_again.Present & FieldSection.HopByHop) != 0 || _again.IndexOf("set-cookie"u8, _buffer) >= 0) throw new FuzzException("a hit has a field that is not to be stored");
        if (_again.Status != head.Status) throw new FuzzException("another status");
        if (length > head.WrittenBytesMax || head.WriteNotModified(_buffer, 7) > head.WrittenBytesMax || head.WritePartial(_buffer, new(1, 2), 10, 7) > head.WrittenBytesMax)
            throw new FuzzException("longer than was said");
    }

    private static void CheckReadBack(StoredHead head)
    {
        var first = new ArrayBufferWriter<byte>();
        StoredHeadFormat.Write(head, first);
        if (!StoredHeadFormat.TryRead(first.WrittenSpan, out StoredHead? read)) throw new FuzzException("not read back");
        var second = new ArrayBufferWriter<byte>();
        StoredHeadFormat.Write(read!, second);
        if (!first.WrittenSpan.SequenceEqual(second.WrittenSpan)) throw new FuzzException("read back as another");
    }

    // Updated with its own fields, a head keeps its validators.
    private void CheckMerged(StoredHead head, byte[] requestBytes, in RequestFacts request, byte[] input)
    {
        Revalidation.Merge(head, _request, requestBytes, request, _response, input, CachePolicy.Default, Now, Now, 0, out StoredHead? merged);
        if (merged is null) return;
        CheckWritten(merged);
        FuzzException.ThrowUnlessSame("validator", Sections.Text(head.ETag), Sections.Text(merged.ETag));
    }
}
