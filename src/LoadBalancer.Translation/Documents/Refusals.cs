using System.Text.Json;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Documents;

/// <summary>What both engines say of values that do not fit their rules: true where they go on as they are, which the rules that look into them cannot help.</summary>
internal static class Refusals
{
    internal static bool Value(DocumentTranslator work, ref Utf8JsonReader reader, SourceNode node)
    {
        string expected = node.Rule?.Conversion is { } conversion ? $"a {conversion.Describe(node.Rule.IsForward)}"
            : node is { Items: not null, TakesObject: false, Members: null } ? "an array" : node.Items is null ? "an object" : "an object or an array";
        return work.Unconvertible(node.Rule, $"is {Describe(reader.TokenType)}, expected {expected}", reader.TokenStartIndex);
    }

    internal static bool Conversion(DocumentTranslator work, PlanRule rule, long position) => work.Unconvertible(rule,
        $"is no {rule.Conversion!.Describe(rule.IsForward)} that the other version can say{(rule.Rule.IsLossy ? "" : " without loss")}", position);

    internal static bool Split(DocumentTranslator work, PlanRule rule, long position) => work.Unconvertible(rule, "is no string, so it has no parts", position);

    internal static bool Join(DocumentTranslator work, PlanRule rule, long position) => work.Unconvertible(rule,
        "has parts that cannot be joined without loss: one is no string, is missing, or has the separator in it", position);

    internal static bool List(DocumentTranslator work, PlanRule rule, long position) => work.Unconvertible(rule, "is no array of one element, which is all that the other version can say", position);

    internal static string Describe(JsonTokenType kind) => kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "a boolean",
    };
}
