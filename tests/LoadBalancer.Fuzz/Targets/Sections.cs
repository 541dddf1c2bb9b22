using System.Globalization;
using System.Text;
using LoadBalancer.Fuzz.Reference;
using LoadBalancer.Http;

namespace LoadBalancer.Fuzz.Targets;

/// <summary>What heads and trailer sections have in common.</summary>
internal static class Sections
{
    /// <summary>Small, so that inputs reach the bounds.</summary>
    internal static readonly HeadLimits Limits = new(64, 320, 10);

    internal static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>The field table with all offsets.</summary>
    internal static string Describe(FieldSection section, ReadOnlySpan<byte> input)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{section.FieldsStart} {section.Length} {section.Present:X}");
        for (int i = 0; i < section.FieldCount; i++)
        {
            FieldLine line = section.Fields[i];
            text.Append(CultureInfo.InvariantCulture, $"|{line.NameStart} {Text(section.NameOf(i, input))}={Text(section.ValueOf(i, input))} {line.Known} {line.IsHopByHop} {line.LineEnd}");
        }
        return text.ToString();
    }

    internal static string Describe(MessageHead head, ReadOnlySpan<byte> input) => string.Create(
        CultureInfo.InvariantCulture, $"1.{head.MinorVersion} {head.Framing} {head.ContentLength} {head.KeepAlive} {head.IsUpgrade} {head.AcceptsTrailers} {Describe((FieldSection)head, input)}");

    /// <summary>The lines of a complete section lie side by side, each well-formed, and end with the empty line.</summary>
    internal static void CheckLines(FieldSection section, byte[] input)
    {
        int at = section.FieldsStart;
        for (int i = 0; i < section.FieldCount; i++)
        {
            FieldLine line = section.Fields[i];
            if (line.NameStart != at || line.NameLength == 0 || input[at + line.NameLength] != ':' || line.ValueStart <= at + line.NameLength
                || line.ValueStart + line.ValueLength > line.LineEnd - 2 || !input.AsSpan(line.LineEnd - 2, 2).SequenceEqual("\r\n"u8)) throw new FuzzException($"field {i} is not where it should be");
            at = line.LineEnd;
        }
        if (section.Length != at + 2 || !input.AsSpan(at, 2).SequenceEqual("\r\n"u8)) throw new FuzzException("the section does not end with its empty line");
    }

    /// <summary>
    /// The verdict against the reference's. What is refused for reasons that the reference does not know (<paramref name="isBeyond"/>) says nothing; of
    /// what is incomplete the parser may know already that it will be refused.
    /// </summary>
    internal static void CheckVerdict(ParseStatus actual, bool isBeyond, ParseStatus reference)
    {
        bool agrees = actual == reference || (actual == ParseStatus.Rejected && (isBeyond || reference == ParseStatus.NeedMore));
        if (!agrees) throw new FuzzException($"the verdict is {actual}, the reference's {reference}");
    }

    internal static void CheckFields(FieldSection section, ReadOnlySpan<byte> input, ReferenceMessage reference)
    {
        var actual = new StringBuilder();
        for (int i = 0; i < section.FieldCount; i++) actual.Append(Text(section.NameOf(i, input))).Append('=').Append(Text(section.ValueOf(i, input))).Append('|');
        FuzzException.ThrowUnlessSame("fields", string.Concat(reference.Fields.Select(f => $"{f.Name}={f.Value}|")), actual.ToString());
        FuzzException.ThrowUnlessSame("length", $"{reference.Length}", $"{section.Length}");
    }

    internal static void CheckFraming(MessageHead head, ReferenceMessage reference) => FuzzException.ThrowUnlessSame(
        "framing", $"1.{reference.MinorVersion} {reference.Framing} {reference.ContentLength} {reference.KeepAlive}", $"1.{head.MinorVersion} {head.Framing} {head.ContentLength} {head.KeepAlive}");

    /// <summary>
    /// Parses in pieces that grow, in all ways when thorough, and compares. The bytes move between two calls, and none lie behind what has arrived.
    /// </summary>
    internal static void CheckPieces(byte[] input, Random random, bool isThorough, string whole, Func<string?> reset, Func<byte[], string?> parse)
    {
        if (isThorough)
        {
            for (int split = 0; split < input.Length; split++) Check([split]);
            Check([.. Enumerable.Range(0, input.Length)]);
            return;
        }
        Check([random.Next(input.Length + 1)]);
        Check([.. Enumerable.Range(0, 4).Select(_ => random.Next(input.Length + 1)).Order()]);

        void Check(int[] splits)
        {
            reset();
            string? result = null;
            foreach (int split in splits)
            {
                result = parse(input[..split]);
                if (result is not null) break;
            }
            result ??= parse([.. input]) ?? "more";
            if (result != whole) FuzzException.ThrowUnlessSame($"in pieces up to {string.Join(' ', splits)}", whole, result);
        }
    }

    /// <summary>The fields as they would be sent on.</summary>
    internal static void AppendFields(StringBuilder text, FieldSection section, ReadOnlySpan<byte> input)
    {
        for (int i = 0; i < section.FieldCount; i++) text.Append(Text(section.NameOf(i, input))).Append(": ").Append(Text(section.ValueOf(i, input))).Append("\r\n");
        text.Append("\r\n");
    }
}
