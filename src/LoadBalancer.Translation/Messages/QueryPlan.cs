using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Documents;

namespace LoadBalancer.Translation.Messages;

/// <summary>Translates queries in one direction. What no rule names stays as it is written, in its order.</summary>
internal sealed class QueryPlan(TextPlan rules, byte[][] taken, byte[][] made, bool passesUnconvertible)
{
    /// <summary>Parameters of a query that are looked at; of those beyond only the bytes count, so more are refused.</summary>
    internal const int ParametersMax = 256;

    /// <summary>Translates a query, without its '?', after what the output has of it already.</summary>
    internal TranslationProblem? Write(ReadOnlySpan<byte> query, OutputBuffer output, OutputBuffer scratch)
    {
        ulong seen = 0;
        Span<ulong> seenMore = rules.Rules.Length > 64 ? new ulong[rules.Rules.Length / 64] : default;
        int count = 0;
        foreach (Range range in query.Split((byte)'&'))
        {
            ReadOnlySpan<byte> parameter = query[range];
            if (parameter.IsEmpty) continue;
            if (++count > ParametersMax) return new(TranslationProblemKind.TooLarge, $"the query has more than {ParametersMax} parameters");
            int equals = parameter.IndexOf((byte)'=');
            ReadOnlySpan<byte> name = equals < 0 ? parameter : parameter[..equals], rest = equals < 0 ? default : parameter[equals..];
            if (IsAny(name, taken)) continue;
            int at = RuleOf(name);
            if (at < 0)
            {
                // Names that rules write are theirs: a client that speaks the one version cannot set what only the other one has.
                if (IsAny(name, made) || IsTarget(name)) continue;
                Separate(output);
                output.Write(parameter);
                continue;
            }
            if (at < 64) seen |= 1UL << at;
            else seenMore[at / 64 - 1] |= 1UL << at;
            if (Write(rules.Rules[at], rest, output, scratch) is { } problem) return problem;
        }
        for (int i = 0; i < rules.Rules.Length; i++)
        {
            TextRule rule = rules.Rules[i];
            if (rule.Default is null || ((i < 64 ? seen : seenMore[i / 64 - 1]) & 1UL << i) != 0) continue;
            Begin(output, rule);
            output.Write((byte)'=');
            PercentText.Encode(output, rule.Default);
        }
        return null;
    }

    private TranslationProblem? Write(TextRule rule, ReadOnlySpan<byte> rest, OutputBuffer output, OutputBuffer scratch)
    {
        if (rule.Target is null) return null;
        if (rule.Omitted is null && rule.Rule.Conversion is null)
        {
            Begin(output, rule);
            output.Write(rest);
            return null;
        }
        int start = scratch.Length;
        PercentText.Decode(scratch, rest.IsEmpty ? rest : rest[1..]);
        ReadOnlySpan<byte> text = scratch.Written[start..];
        if (rule.Omitted is { } omitted && text.SequenceEqual(omitted)) return null;
        Span<byte> space = stackalloc byte[Conversion.TextMax];
        if (rule.Rule.Conversion is null || !rule.TryConvert(text, space, out Scalar result))
        {
            if (rule.Rule.Conversion is not null && !passesUnconvertible) return rule.Refuse("parameter");
            Begin(output, rule);
            output.Write(rest);
            return null;
        }
        Begin(output, rule);
        output.Write((byte)'=');
        PercentText.Encode(output, result.Text);
        return null;
    }

    private static void Begin(OutputBuffer output, TextRule rule)
    {
        Separate(output);
        PercentText.Encode(output, rule.TargetBytes);
    }

    internal static void Separate(OutputBuffer output)
    {
        if (output.Length > 0) output.Write((byte)'&');
    }

    private int RuleOf(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < rules.Rules.Length; i++) if (rules.Rules[i].Source is not null && PercentText.IsName(name, rules.Rules[i].SourceBytes)) return i;
        return -1;
    }

    private bool IsTarget(ReadOnlySpan<byte> name)
    {
        foreach (TextRule rule in rules.Rules) if (rule.Target is not null && PercentText.IsName(name, rule.TargetBytes)) return true;
        return false;
    }

    private static bool IsAny(ReadOnlySpan<byte> name, byte[][] names)
    {
        foreach (byte[] one in names) if (PercentText.IsName(name, one)) return true;
        return false;
    }
}
