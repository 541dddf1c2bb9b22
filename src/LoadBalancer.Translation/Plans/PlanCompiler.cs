using System.Text.Json;
using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.Plans;

/// <summary>Makes plans of rules, in one direction. Rules that do not go together are problems.</summary>
internal sealed class PlanCompiler(IReadOnlyDictionary<string, TypeRules> types, MapVersion from, bool passesUnconvertible, Action<string, string> report)
{
    private readonly Dictionary<string, Scope> _types = new(StringComparer.Ordinal);

    internal BodyPlan Compile(BodyRules rules)
    {
        Scope scope = rules.Type is { } type && types.ContainsKey(type) ? Type(type) : Compile(rules.MapPath, rules.Fields, rules.DropsUnknown);
        return new BodyPlan(scope, IsInPlace(scope, []), passesUnconvertible);
    }

    private Scope Type(string name)
    {
        if (_types.TryGetValue(name, out Scope? scope)) return scope;
        TypeRules type = types[name];
        // Known before its rules are compiled: a type may contain itself.
        _types[name] = scope = new Scope { MapPath = type.MapPath };
        Fill(scope, type.Fields, type.DropsUnknown);
        return scope;
    }

    private Scope Compile(string mapPath, IReadOnlyList<FieldRule> rules, bool drops)
    {
        var scope = new Scope { MapPath = mapPath };
        Fill(scope, rules, drops);
        return scope;
    }

    private void Fill(Scope scope, IReadOnlyList<FieldRule> rules, bool drops)
    {
        var build = new ScopeBuilder(from, report);
        foreach (FieldRule rule in rules) if (rule.V1.Length > 0 && rule.V2.Length > 0) build.Add(rule);
        // A rule of one side goes through the elements that the others have paired.
        foreach (FieldRule rule in rules) if (rule.V1.Length == 0 || rule.V2.Length == 0) build.Add(rule);
        build.Finish(scope, drops, types.ContainsKey, Type, (path, inner) => Compile(path, inner, drops));
    }

    private static bool IsInPlace(Scope scope, HashSet<Scope> seen)
    {
        if (!seen.Add(scope)) return true;
        return scope.IsInPlace && IsInPlace(scope.Root, seen);
    }

    private static bool IsInPlace(SourceNode node, HashSet<Scope> seen)
    {
        foreach (Scope? inner in (ReadOnlySpan<Scope?>)[node.Type, node.Items, node.Members]) if (inner is not null && !IsInPlace(inner, seen)) return false;
        foreach (SourceNode child in node.Children.Values) if (!IsInPlace(child, seen)) return false;
        return true;
    }

    /// <summary>A name as JSON writes it, with its quotes.</summary>
    internal static byte[] Quote(string name) => [(byte)'"', .. JsonEncodedText.Encode(name, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes, (byte)'"'];
}
