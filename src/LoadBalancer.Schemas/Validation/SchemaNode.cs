using LoadBalancer.Schemas.Checks;
using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Validation;

/// <summary>One compiled schema. Filled once by the compiler, then immutable; any thread.</summary>
internal sealed class SchemaNode(string location)
{
    /// <summary>Document and pointer.</summary>
    internal string Location { get; } = location;

    internal KindSet Types { get; set; } = KindSet.All;

    /// <summary>In the order in which they are applied: those that need what others have evaluated come last.</summary>
    internal Check[] Checks { get; set; } = [];

    /// <summary>The schema false.</summary>
    internal bool IsFalse { get; set; }

    /// <summary>Whether it has unevaluatedItems or unevaluatedProperties, so that what its other keywords evaluate is to be remembered.</summary>
    internal bool NeedsFrame { get; set; }

    /// <summary>Its resource, where dynamic references are in use; else null.</summary>
    internal ResourceScope? Scope { get; set; }

    /// <summary>Whether the instance is as it should be. <paramref name="frame"/>: where a schema around it remembers which children are evaluated; -1: none asks.</summary>
    internal bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        if (!run.Enter()) return false;
        bool isScope = Scope is not null && (run.Memory.ScopeCount == 0 || run.Memory.Scopes[run.Memory.ScopeCount - 1] != Scope);
        if (isScope) run.Memory.PushScope(Scope!);
        bool isValid = NeedsFrame || frame >= 0 ? EvaluateInFrame(ref run, node, frame) : EvaluateChecks(ref run, node, -1);
        if (isScope) run.Memory.ScopeCount--;
        run.Leave();
        return isValid;
    }

    // What a schema evaluates counts only when it is valid, and its own unevaluated* must not see what its neighbours did: so each has a frame of its own.
    private bool EvaluateInFrame(ref ValidationRun run, int node, int frame)
    {
        JsonNode instance = run.Instance.Nodes[node];
        if (instance.Kind is not (JsonKind.Array or JsonKind.Object)) return EvaluateChecks(ref run, node, -1);
        if (!run.Spend(instance.Count >> 6)) return false;
        int own = run.Memory.Push(instance.Count);
        bool isValid = EvaluateChecks(ref run, node, own);
        if (isValid && frame >= 0) run.Memory.Merge(frame, own, instance.Count);
        run.Memory.Pop(own);
        return isValid;
    }

    private bool EvaluateChecks(ref ValidationRun run, int node, int frame)
    {
        JsonKind kind = run.Instance.Nodes[node].Kind;
        KindSet kinds = KindSets.Of(kind);
        bool isValid = true;
        if ((Types & kinds) == 0 && !((Types & KindSet.Integer) != 0 && kind == JsonKind.Number && IsInteger(run, node)))
        {
            if (run.GoesOn) run.Report(node, Location + "/type", $"is {Name(kind)}; expected {KindSets.Describe(Types)}");
            if (!run.GoesOn) return false;
            isValid = false;
        }
        if (IsFalse)
        {
            run.Report(node, Location, "is not allowed here");
            return false;
        }
        foreach (Check check in Checks)
        {
            if ((check.Kinds & kinds) == 0 || check.Evaluate(ref run, node, frame)) continue;
            isValid = false;
            if (!run.GoesOn) return false;
        }
        return isValid && !run.IsExhausted;
    }

    private static bool IsInteger(in ValidationRun run, int node) =>
        run.Instance.Nodes[node].Flag || ExactNumber.Parse(run.Instance.TextOf(node)).IsInteger;

    private static string Name(JsonKind kind) => kind switch
    {
        JsonKind.Null => "null",
        JsonKind.True or JsonKind.False => "a boolean",
        JsonKind.Number => "a number",
        JsonKind.Array => "an array",
        JsonKind.Object => "an object",
        _ => "a string",
    };
}
