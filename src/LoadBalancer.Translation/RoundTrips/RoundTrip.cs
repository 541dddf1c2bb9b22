using System.Text;
using System.Text.Json;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.Messages;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.RoundTrips;

/// <summary>Checks that documents come back from the other version as they were, but for what the map declares as lost. For tests of maps, not for requests.</summary>
public static class RoundTrip
{
    /// <summary>Checks all documents of a map, v1 → v2 → v1, with samples made of its rules: one that has everything, and others that lack some.</summary>
    /// <param name="map">The map.</param>
    /// <param name="samples">Samples for each document.</param>
    /// <param name="seed">The same seed makes the same samples.</param>
    /// <returns>A report for each sample.</returns>
    public static IReadOnlyList<RoundTripReport> Check(VersionMap map, int samples = 20, int seed = 1)
    {
        var reports = new List<RoundTripReport>();
        var random = new Random(seed);
        for (int i = 0; i < map.ForV1Clients.Operations.Count; i++)
        {
            foreach (BodyUse use in (ReadOnlySpan<BodyUse>)[BodyUse.Request, BodyUse.Response, BodyUse.Error])
            {
                if (Plan(map, i, use, MapVersion.V1) is not { } plan) continue;
                for (int n = 0; n < samples; n++) reports.Add(Check(map, i, use, Encoding.UTF8.GetBytes(SampleDocument.Make(plan.Scope, random, isWhole: n == 0)), MapVersion.V1));
            }
        }
        return reports;
    }

    /// <summary>Checks one document of an operation.</summary>
    /// <param name="map">The map.</param>
    /// <param name="operation">Index in the operations of the map.</param>
    /// <param name="use">Which of its documents.</param>
    /// <param name="document">UTF-8 JSON of <paramref name="version"/>.</param>
    /// <param name="version">Where to start; back to it by way of the other.</param>
    /// <exception cref="ArgumentException">The map has no rules for such a document.</exception>
    public static RoundTripReport Check(VersionMap map, int operation, BodyUse use, ReadOnlyMemory<byte> document, MapVersion version = MapVersion.V1)
    {
        MapVersion other = version == MapVersion.V1 ? MapVersion.V2 : MapVersion.V1;
        BodyPlan there = Plan(map, operation, use, version) ?? throw new ArgumentException("The map has no rules for such a document.", nameof(use));
        BodyPlan back = Plan(map, operation, use, other)!;
        var report = new RoundTripReport { Operation = map.ForV1Clients.Operations[operation].Name, Use = use, Version = version, Document = Encoding.UTF8.GetString(document.Span) };
        using var translator = new DocumentTranslator();
        if (translator.Translate(there, document.Span, TranslationLimits.Default) is { } problem) return report with { Problem = problem };
        byte[] translated = translator.Output.Written.ToArray();
        report = report with { Translated = Encoding.UTF8.GetString(translated) };
        if (translator.Translate(back, translated, TranslationLimits.Default) is { } backProblem) return report with { Problem = backProblem };
        using JsonDocument before = JsonDocument.Parse(document), after = JsonDocument.Parse(translator.Output.WrittenMemory);
        var differences = new List<RoundTripDifference>();
        foreach ((List<string> steps, string? was, string? now) in JsonComparison.Compare(before.RootElement, after.RootElement))
            differences.Add(new RoundTripDifference(JsonComparison.Pointer(steps), was, now, Declared(there.Scope, steps)));
        return report with { Differences = differences };
    }

    private static BodyPlan? Plan(VersionMap map, int operation, BodyUse use, MapVersion from)
    {
        // Requests go from the client's version to the other, responses come to it.
        Operation v1 = map.ForV1Clients.Operations[operation], v2 = map.ForV2Clients.Operations[operation];
        return use switch
        {
            BodyUse.Request => from == MapVersion.V1 ? v1.Request : v2.Request,
            BodyUse.Response => from == MapVersion.V1 ? v2.Response : v1.Response,
            _ => from == MapVersion.V1 ? v2.Error : v1.Error,
        };
    }

    // Follows the rules to where the value stands. Whoever declares a loss there, or above, is to blame.
    private static string? Declared(Scope scope, List<string> steps)
    {
        SourceNode node = scope.Root;
        for (int i = 0; ; i++)
        {
            if (Declared(node) is { } rule) return rule;
            while (node.Type is { } type)
            {
                scope = type;
                node = type.Root;
                if (Declared(node) is { } typeRule) return typeRule;
            }
            if (i == steps.Count) return null;
            Scope? within = node.Members ?? (int.TryParse(steps[i], out _) ? node.Items : null);
            if (within is not null)
            {
                scope = within;
                node = within.Root;
            }
            else if (node.Children.Find(Encoding.UTF8.GetBytes(steps[i])) is { } child) node = child;
            else return scope.DropsUnknown ? $"{scope.MapPath}.unknown" : null;
        }
    }

    private static string? Declared(SourceNode node) =>
        node.Rule?.Rule is { } rule && (rule.IsLossy || rule.DefaultV1 is not null || rule.DefaultV2 is not null || rule.Constant is not null) ? rule.MapPath : null;
}
