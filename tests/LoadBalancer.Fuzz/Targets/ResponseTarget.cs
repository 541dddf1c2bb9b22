using System.Globalization;
using System.Text;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>Response heads, as answers to each method.</summary>
internal sealed class ResponseTarget : IFuzzTarget
{
    private static readonly HeadLimits Wide = new(1024, 64 * 1024, 1024);
    private readonly ResponseHead _whole = new(), _pieces = new(), _again = new();

    public string Name => "response";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        string behaviour = "";
        foreach (RequestMethod method in new[] { RequestMethod.Get, RequestMethod.Head, RequestMethod.Connect }) behaviour += Run(input, random, isThorough, method) + "; ";
        return behaviour;
    }

    private string Run(byte[] input, Random random, bool isThorough, RequestMethod method)
    {
        _whole.Reset();
        ParseStatus status = _whole.Parse(input, Sections.Limits, method);
        string whole = Describe(_whole, status, input);
        Sections.CheckPieces(input, random, isThorough, whole,
            () =>
            {
                _pieces.Reset();
                return null;
            },
            piece => _pieces.Parse(piece, Sections.Limits, method) is var s and not ParseStatus.NeedMore ? Describe(_pieces, s, piece) : null);

        var reference = ReferenceMessage.Response(Sections.Text(input), Sections.Limits, method);
        Sections.CheckVerdict(status, isBeyond: false, reference.Verdict);
        if (status != ParseStatus.Complete) return whole;

        Sections.CheckLines(_whole, input);
        Sections.CheckFields(_whole, input, reference);
        Sections.CheckFraming(_whole, reference);
        FuzzException.ThrowUnlessSame("status line", $"{reference.First} {reference.Second}", $"{_whole.Status} {Sections.Text(input.AsSpan(_whole.ReasonStart, _whole.ReasonLength))}");
        CheckSentOn(input, method);
        return string.Create(CultureInfo.InvariantCulture, $"{_whole.Status / 100} {_whole.Status is 101 or 204 or 304} 1.{_whole.MinorVersion} {_whole.Framing} {_whole.KeepAlive} {_whole.IsUpgrade} {_whole.Present:X} {_whole.FieldCount}");
    }

    private void CheckSentOn(byte[] input, RequestMethod method)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"HTTP/1.{_whole.MinorVersion} {_whole.Status} {Sections.Text(input.AsSpan(_whole.ReasonStart, _whole.ReasonLength))}\r\n");
        Sections.AppendFields(text, _whole, input);
        byte[] sent = Encoding.Latin1.GetBytes(text.ToString());
        _again.Reset();
        ParseStatus status = _again.Parse(sent, Wide, method);
        FuzzException.ThrowUnlessSame("sent on and parsed again", Meaning(_whole, ParseStatus.Complete, input), Meaning(_again, status, sent));
        if (_again.Length != sent.Length) throw new FuzzException("what is sent on is not one message");
    }

    private static string Meaning(ResponseHead head, ParseStatus status, byte[] input)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{status} {head.Rejection} {head.Status} {Sections.Text(input.AsSpan(head.ReasonStart, head.ReasonLength))} 1.{head.MinorVersion} {head.Framing} {head.ContentLength} {head.KeepAlive} {head.IsUpgrade}");
        for (int i = 0; i < head.FieldCount; i++) text.Append(CultureInfo.InvariantCulture, $"|{Sections.Text(head.NameOf(i, input))}={Sections.Text(head.ValueOf(i, input))} {head.Fields[i].IsHopByHop}");
        return text.ToString();
    }

    private static string Describe(ResponseHead head, ParseStatus status, byte[] input) => status switch
    {
        ParseStatus.NeedMore => "more",
        ParseStatus.Rejected => $"rejected {head.Rejection}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{head.Status} {head.ReasonStart}+{head.ReasonLength} {Sections.Describe(head, input)}"),
    };
}
