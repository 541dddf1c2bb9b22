using System.Text;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Tests;

/// <summary>Maps of one route, made of the rules of its request.</summary>
internal static class TestMaps
{
    /// <summary>A map with such fields in requests and responses; quotes may be written as apostrophes.</summary>
    internal static VersionMap OfFields(string fields, string rest = "") =>
        VersionMap.Parse(Bytes($"{{ 'routes': [{{ 'v1': 'POST /v1/things', 'v2': 'POST /v2/things', 'request': {{ 'fields': {fields} }}, 'response': {{ 'fields': {fields} }} }}] {rest} }}"));

    internal static IReadOnlyList<MapProblem> Problems(string json)
    {
        _ = VersionMap.TryParse(Bytes(json), out _, out IReadOnlyList<MapProblem> problems);
        return problems;
    }

    internal static byte[] Bytes(string json) => Encoding.UTF8.GetBytes(json.Replace('\'', '"'));

    internal static BodyPlan Up(VersionMap map) => map.ForV1Clients.Operations[0].Request!;

    internal static BodyPlan Down(VersionMap map) => map.ForV1Clients.Operations[0].Response!;

    /// <summary>Translates, by the plan's own engine; "!" and the problem where it cannot.</summary>
    internal static string Run(BodyPlan plan, string document, bool? inPlace = null) => Run(plan, Encoding.UTF8.GetBytes(document), inPlace);

    internal static string Run(BodyPlan plan, byte[] document, bool? inPlace = null)
    {
        using var translator = new DocumentTranslator();
        TranslationProblem? problem = translator.Translate(plan, document, TranslationLimits.Default, inPlace ?? plan.IsInPlace);
        return problem is null ? Encoding.UTF8.GetString(translator.Output.Written) : $"!{problem}";
    }
}
