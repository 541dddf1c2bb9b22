using System.Globalization;
using System.Text;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>Trailer sections.</summary>
internal sealed class TrailerTarget : IFuzzTarget
{
    private readonly TrailerSection _whole = new(), _pieces = new(), _again = new();

    public string Name => "trailer";

    public string Run(byte[] input, Random random, bool isThorough)
    {
        _whole.Reset();
        ParseStatus status = _whole.Parse(input);
        string whole = Describe(_whole, status, input);
        Sections.CheckPieces(input, random, isThorough, whole,
            () =>
            {
                _pieces.Reset();
                return null;
            },
            piece => _pieces.Parse(piece) is var s and not ParseStatus.NeedMore ? Describe(_pieces, s, piece) : null);

        var reference = ReferenceMessage.Trailers(Sections.Text(input));
        Sections.CheckVerdict(status, isBeyond: false, reference.Verdict);
        if (status != ParseStatus.Complete) return whole;

        Sections.CheckLines(_whole, input);
        Sections.CheckFields(_whole, input, reference);
        var text = new StringBuilder();
        Sections.AppendFields(text, _whole, input);
        byte[] sent = Encoding.Latin1.GetBytes(text.ToString());
        _again.Reset();
        if (_again.Parse(sent) != ParseStatus.Complete) throw new FuzzException("what is sent on is rejected");
        FuzzException.ThrowUnlessSame("sent on and parsed again", Meaning(_whole, input), Meaning(_again, sent));
        return string.Create(CultureInfo.InvariantCulture, $"{_whole.Present:X} {_whole.FieldCount} {_whole.Fields.Take(_whole.FieldCount).Count(f => f.IsHopByHop)}");
    }

    private static string Meaning(TrailerSection section, byte[] input) =>
        string.Join('|', Enumerable.Range(0, section.FieldCount).Select(i => $"{Sections.Text(section.NameOf(i, input))}={Sections.Text(section.ValueOf(i, input))} {section.Fields[i].IsHopByHop}"));

    private static string Describe(TrailerSection section, ParseStatus status, byte[] input) => status switch
    {
        ParseStatus.NeedMore => "more",
        ParseStatus.Rejected => $"rejected {section.Rejection}",
        _ => Sections.Describe(section, input),
    };
}
