using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>enum and const.</summary>
internal sealed class EnumCheck : Check
{
    private const int ShownMax = 8;

    private readonly JsonValue[] _others;
    private readonly NameTable _texts;
    private readonly string _rule;
    private readonly string _message;

    internal EnumCheck(IReadOnlyList<JsonValue> values, string rule) : base(KindSet.All)
    {
        _rule = rule;
        _others = [.. values.Where(v => !v.IsString)];
        _texts = new NameTable([.. values.Where(v => v.IsString).Select(v => v.Text)]);
        IEnumerable<string> shown = values.Take(ShownMax).Select(v => Shown(v));
        _message = values.Count == 0 ? "must be one of no values" : values.Count == 1 ? $"must be {shown.First()}" : $"must be one of {string.Join(", ", shown)}{(values.Count > ShownMax ? ", ..." : "")}";
    }

    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        ref readonly JsonNode instance = ref run.Instance.Nodes[node];
        if (instance.Kind is JsonKind.String or JsonKind.Name)
        {
            ReadOnlySpan<byte> text = run.Instance.TextOf(instance);
            if (_texts.Find(text, NameHash.Of(text)) >= 0) return true;
        }
        else
        {
            foreach (JsonValue value in _others)
            {
                if (JsonEquality.AreEqual(ref run, run.Instance, node, value.Document.View, value.Node)) return true;
            }
        }
        run.Report(node, _rule, _message);
        return false;
    }

    private static string Shown(JsonValue value) => value.Kind switch
    {
        JsonKind.Null => "null",
        JsonKind.True => "true",
        JsonKind.False => "false",
        JsonKind.Number => value.Text,
        JsonKind.String => Shown(System.Text.Encoding.UTF8.GetBytes(value.Text)),
        JsonKind.Array => "an array",
        _ => "an object",
    };
}
