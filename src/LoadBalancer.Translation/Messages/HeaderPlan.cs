using System.Text;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Documents;

namespace LoadBalancer.Translation.Messages;

/// <summary>Translates header fields in one direction. Immutable.</summary>
public sealed class HeaderPlan
{
    private readonly TextPlan _rules;
    private readonly bool _passesUnconvertible;

    internal HeaderPlan(TextPlan rules, bool passesUnconvertible)
    {
        _rules = rules;
        _passesUnconvertible = passesUnconvertible;
    }

    /// <summary>The name that a field had before it was translated; null for one that no rule writes. For Vary, which names fields of requests.</summary>
    public string? SourceOf(string name)
    {
        foreach (TextRule rule in _rules.Rules) if (rule.Source is not null && string.Equals(rule.Target, name, StringComparison.OrdinalIgnoreCase)) return rule.Source;
        return null;
    }

    /// <summary>Applies all rules at once: two fields may change places. A problem leaves some of them done; the message is not for sending then.</summary>
    public TranslationProblem? Apply<T>(T fields) where T : IMessageFields
    {
        var written = new List<(string Name, string Value)>();
        var values = new List<string>();
        foreach (TextRule rule in _rules.Rules)
        {
            values.Clear();
            if (rule.Source is { } source) fields.Read(source, values);
            if (rule.Target is not { } target) continue;
            foreach (string value in values)
            {
                if (!TryTranslate(rule, value, out string? translated)) return rule.Refuse("header field");
                if (translated is not null) written.Add((target, translated));
            }
            if (values.Count == 0 && rule.Default is { } text) written.Add((target, Encoding.UTF8.GetString(text)));
        }
        foreach (TextRule rule in _rules.Rules)
        {
            if (rule.Source is { } source) fields.Remove(source);
            // What only the other version has is not taken from who does not speak it.
            if (rule.Target is { } target) fields.Remove(target);
        }
        foreach ((string name, string value) in written) fields.Append(name, value);
        return null;
    }

    private bool TryTranslate(TextRule rule, string value, out string? translated)
    {
        translated = value;
        if (rule.Omitted is null && rule.Rule.Conversion is null) return true;
        byte[] text = Encoding.UTF8.GetBytes(value.Trim());
        if (rule.Omitted is { } omitted && text.AsSpan().SequenceEqual(omitted))
        {
            translated = null;
            return true;
        }
        if (rule.Rule.Conversion is null) return true;
        Span<byte> space = stackalloc byte[Conversion.TextMax];
        if (!rule.TryConvert(text, space, out Scalar result)) return _passesUnconvertible;
        translated = Encoding.UTF8.GetString(result.Text);
        return true;
    }
}
