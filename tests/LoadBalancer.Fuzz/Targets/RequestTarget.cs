using System.Globalization;
using System.Text;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>Request heads.</summary>
internal sealed class RequestTarget : IFuzzTarget
{
    private static readonly HeadLimits Wide = new(1024, 64 * 1024, 1024);
    private readonly RequestHead _whole = new(), _pieces = new(), _again = new();

    public string Name => "request";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        _whole.Reset();
        ParseStatus status = _whole.Parse(input, Sections.Limits);
        string whole = Describe(_whole, status, input);
        Sections.CheckPieces(input, random, isThorough, whole,
            () =>
            {
                _pieces.Reset();
                return null;
            },
            piece => _pieces.Parse(piece, Sections.Limits) is var s and not ParseStatus.NeedMore ? Describe(_pieces, s, piece) : null);

        var reference = ReferenceMessage.Request(Sections.Text(input), Sections.Limits);
        Sections.CheckVerdict(status, IsBeyondReference(_whole.Rejection), reference.Verdict);
        if (status != ParseStatus.Complete) return whole;

        Sections.CheckLines(_whole, input);
        Sections.CheckFields(_whole, input, reference);
        Sections.CheckFraming(_whole, reference);
        FuzzException.ThrowUnlessSame("request line", $"{reference.First} {reference.Second}",
            $"{Sections.Text(input.AsSpan(_whole.MethodStart, _whole.MethodLength))} {Sections.Text(input.AsSpan(_whole.TargetStart, _whole.TargetLength))}");
        CheckSentOn(input);
        return string.Create(CultureInfo.InvariantCulture, $"{_whole.Method} {_whole.TargetForm} {_whole.QueryLength > 0} 1.{_whole.MinorVersion} {_whole.Framing} {_whole.KeepAlive} {_whole.IsUpgrade} {_whole.AcceptsTrailers} {_whole.ExpectContinue} {_whole.Present:X} {_whole.FieldCount}");
    }

    // Hosts, targets and the meaning of fields.
    private static bool IsBeyondReference(RejectionReason reason) => reason is RejectionReason.BadTarget or RejectionReason.BadHost or RejectionReason.MissingHost
        or RejectionReason.RepeatedHost or RejectionReason.UnsupportedExpectation or RejectionReason.UnexpectedContent;

    private void CheckSentOn(byte[] input)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Sections.Text(input.AsSpan(_whole.MethodStart, _whole.MethodLength))} {Sections.Text(input.AsSpan(_whole.TargetStart, _whole.TargetLength))} HTTP/1.{_whole.MinorVersion}\r\n");
        Sections.AppendFields(text, _whole, input);
        byte[] sent = Encoding.Latin1.GetBytes(text.ToString());
        _again.Reset();
        ParseStatus status = _again.Parse(sent, Wide);
        FuzzException.ThrowUnlessSame("sent on and parsed again", Meaning(_whole, ParseStatus.Complete, input), Meaning(_again, status, sent));
        if (_again.Length != sent.Length) throw new FuzzException("what is sent on is not one message");
    }

    private static string Meaning(RequestHead head, ParseStatus status, byte[] input)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{status} {head.Rejection} {head.Method} {head.TargetForm} 1.{head.MinorVersion} {head.Framing} {head.ContentLength} {head.KeepAlive} {head.IsUpgrade} {head.AcceptsTrailers} {head.ExpectContinue} {head.MaxForwards} ");
        text.Append(CultureInfo.InvariantCulture, $"{Part(head.AuthorityStart, head.AuthorityLength)} {Part(head.PathStart, head.PathLength)} {Part(head.QueryStart, head.QueryLength)}");
        for (int i = 0; i < head.FieldCount; i++) text.Append(CultureInfo.InvariantCulture, $"|{Sections.Text(head.NameOf(i, input))}={Sections.Text(head.ValueOf(i, input))} {head.Fields[i].IsHopByHop}");
        return text.ToString();

        string Part(int start, int length) => Sections.Text(input.AsSpan(start, length));
    }

    private static string Describe(RequestHead head, ParseStatus status, byte[] input) => status switch
    {
        ParseStatus.NeedMore => "more",
        ParseStatus.Rejected => $"rejected {head.Rejection}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{head.Method} {head.MethodStart}+{head.MethodLength} {head.TargetForm} {head.TargetStart}+{head.TargetLength} {head.AuthorityStart}+{head.AuthorityLength} {head.PathStart}+{head.PathLength} {head.QueryStart}+{head.QueryLength} {head.ExpectContinue} {head.MaxForwards} {Sections.Describe(head, input)}"),
    };
}
