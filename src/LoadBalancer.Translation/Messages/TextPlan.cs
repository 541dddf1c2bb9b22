using System.Text;
using System.Text.Json;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Messages;

/// <summary>Rules of parameters or header fields, in one direction. Immutable.</summary>
internal sealed class TextPlan
{
    internal TextPlan(IReadOnlyList<FieldRule> rules, MapVersion from, bool ignoresCase, Action<string, string> report)
    {
        MapVersion to = from == MapVersion.V1 ? MapVersion.V2 : MapVersion.V1;
        var comparer = ignoresCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        Dictionary<string, string> sources = new(comparer), targets = new(comparer);
        var entries = new List<TextRule>();
        foreach (FieldRule rule in rules)
        {
            string? source = rule.Side(from) is [var s] ? s.Steps[0].Name : null, target = rule.Side(to) is [var t] ? t.Steps[0].Name : null;
            if (source is not null && !sources.TryAdd(source, rule.MapPath)) report(rule.MapPath, $"\"{source}\" of {Name(from)} is read by {sources[source]} too; expected one rule for a value");
            if (target is not null && !targets.TryAdd(target, rule.MapPath)) report(rule.MapPath, $"\"{target}\" of {Name(to)} is written by {targets[target]} too; expected one rule for a value");
            byte[]? json = target is null ? null : (source is null ? rule.Constant : null) ?? rule.Default(to);
            entries.Add(new TextRule
            {
                Rule = rule,
                IsForward = from == MapVersion.V1,
                Source = source,
                Target = target,
                Default = json is null ? null : TextOf(json),
                Omitted = rule.OmitsDefault && rule.Default(from) is { } omitted ? TextOf(omitted) : null,
            });
        }
        Rules = [.. entries];
    }

    internal TextRule[] Rules { get; }

    private static string Name(MapVersion version) => version == MapVersion.V1 ? "v1" : "v2";

    internal static byte[] TextOf(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind == JsonValueKind.String ? Encoding.UTF8.GetBytes(document.RootElement.GetString()!) : json;
    }
}

/// <summary>What is done with one parameter or header field.</summary>
internal sealed class TextRule
{
    internal required FieldRule Rule { get; init; }

    internal required bool IsForward { get; init; }

    internal string? Source { get => _source; init => (_source, SourceBytes) = (value, Encoding.UTF8.GetBytes(value ?? "")); }

    internal string? Target { get => _target; init => (_target, TargetBytes) = (value, Encoding.UTF8.GetBytes(value ?? "")); }

    internal byte[] SourceBytes { get; private init; } = [];

    internal byte[] TargetBytes { get; private init; } = [];

    /// <summary>Written where there is no value; null: nothing is.</summary>
    internal byte[]? Default { get; init; }

    /// <summary>A value that is left out.</summary>
    internal byte[]? Omitted { get; init; }

    private readonly string? _source, _target;

    /// <summary>Converts a text: it stands for the string, the number, or the literal that it looks like.</summary>
    internal bool TryConvert(ReadOnlySpan<byte> text, Span<byte> space, out Scalar result)
    {
        Conversion conversion = Rule.Conversion!;
        if (conversion.TryConvert(IsForward, new Scalar(JsonTokenType.String, text), space, out result)) return true;
        JsonTokenType kind = text.SequenceEqual("true"u8) ? JsonTokenType.True : text.SequenceEqual("false"u8) ? JsonTokenType.False : text.SequenceEqual("null"u8) ? JsonTokenType.Null
            : NumberConversion.IsNumber(text) ? JsonTokenType.Number : JsonTokenType.None;
        return kind != JsonTokenType.None && conversion.TryConvert(IsForward, new Scalar(kind, text), space, out result);
    }

    internal TranslationProblem Refuse(string what) => new(TranslationProblemKind.Unconvertible, $"the {what} \"{Source}\" is no {Rule.Conversion!.Describe(IsForward)} that the other version can say", Rule: Rule.MapPath);
}
