using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>$ref.</summary>
internal sealed class RefCheck(SchemaNode target) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame) => target.Evaluate(ref run, node, frame);
}

/// <summary>$dynamicRef to a $dynamicAnchor: the outermost resource that has the anchor says what is meant (2020-12 core §8.2.3.2).</summary>
internal sealed class DynamicRefCheck(string anchor, SchemaNode target) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        RunMemory memory = run.Memory;
        for (int i = 0; i < memory.ScopeCount; i++)
        {
            if (memory.Scopes[i].Anchors.TryGetValue(anchor, out SchemaNode? outer)) return outer.Evaluate(ref run, node, frame);
        }
        return target.Evaluate(ref run, node, frame);
    }
}

/// <summary>allOf.</summary>
internal sealed class AllOfCheck(SchemaNode[] schemas) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        bool isValid = true;
        foreach (SchemaNode schema in schemas)
        {
            if (schema.Evaluate(ref run, node, frame)) continue;
            isValid = false;
            if (!run.GoesOn) return false;
        }
        return isValid;
    }
}

/// <summary>anyOf.</summary>
internal sealed class AnyOfCheck(SchemaNode[] schemas, string rule) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        List<InstanceProblem>? problems = run.Problems;
        Alternatives? failed = run.GoesOn ? new Alternatives(run.Instance.PointerOf(node)) : null;
        bool isValid = false;
        foreach (SchemaNode schema in schemas)
        {
            run.Problems = failed?.Next();
            if (!schema.Evaluate(ref run, node, frame)) continue;
            isValid = true;
            // Where a schema around it asks, all that are valid say what they have evaluated.
            if (frame < 0) break;
        }
        run.Problems = problems;
        if (isValid) return true;
        if (run.GoesOn)
        {
            run.Report(node, rule, $"is none of the {schemas.Length} alternatives");
            failed?.AddNearest(ref run);
        }
        return false;
    }
}

/// <summary>oneOf.</summary>
internal sealed class OneOfCheck(SchemaNode[] schemas, string rule) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        List<InstanceProblem>? problems = run.Problems;
        Alternatives? failed = run.GoesOn ? new Alternatives(run.Instance.PointerOf(node)) : null;
        int first = -1, second = -1;
        for (int i = 0; i < schemas.Length && second < 0; i++)
        {
            run.Problems = failed?.Next();
            if (!schemas[i].Evaluate(ref run, node, frame)) continue;
            if (first < 0) first = i;
            else second = i;
        }
        run.Problems = problems;
        if (first >= 0 && second < 0) return !run.IsExhausted;
        if (run.GoesOn)
        {
            run.Report(node, rule, first < 0 ? $"is none of the {schemas.Length} alternatives"
                : $"is two of the {schemas.Length} alternatives, number {first + 1} and number {second + 1}; expected exactly one");
            if (first < 0) failed?.AddNearest(ref run);
        }
        return false;
    }
}

/// <summary>not.</summary>
internal sealed class NotCheck(SchemaNode schema, string rule) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        List<InstanceProblem>? problems = run.Problems;
        run.Problems = null;
        bool isValid = !schema.Evaluate(ref run, node, -1);
        run.Problems = problems;
        if (!isValid) run.Report(node, rule, "is what \"not\" excludes");
        return isValid && !run.IsExhausted;
    }
}

/// <summary>if, then, else.</summary>
internal sealed class IfCheck(SchemaNode condition, SchemaNode? then, SchemaNode? otherwise) : Check(KindSet.All)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        List<InstanceProblem>? problems = run.Problems;
        run.Problems = null;
        bool holds = condition.Evaluate(ref run, node, frame);
        run.Problems = problems;
        SchemaNode? next = holds ? then : otherwise;
        return next is null ? !run.IsExhausted : next.Evaluate(ref run, node, frame);
    }
}

/// <summary>
/// Why each alternative was not it. Of those the one is shown that was most likely meant: the only one whose type, const and enum hold for the value itself and, as
/// alternatives are told apart by a property with a constant, for its properties.
/// </summary>
internal sealed class Alternatives(string pointer)
{
    private readonly List<List<InstanceProblem>> _all = [];

    internal List<InstanceProblem> Next()
    {
        _all.Add([]);
        return _all[^1];
    }

    internal void AddNearest(ref ValidationRun run)
    {
        List<InstanceProblem>? nearest = null;
        foreach (List<InstanceProblem> problems in _all)
        {
            if (problems.Exists(Excludes)) continue;
            if (nearest is not null) return;
            nearest = problems;
        }
        if (nearest is null) return;
        foreach (InstanceProblem problem in nearest)
        {
            if (!run.GoesOn) return;
            run.Problems!.Add(problem);
        }
    }

    private bool Excludes(InstanceProblem problem)
    {
        bool isConstant = problem.Rule.EndsWith("/const", StringComparison.Ordinal) || problem.Rule.EndsWith("/enum", StringComparison.Ordinal);
        if (problem.Pointer == pointer) return isConstant || problem.Rule.EndsWith("/type", StringComparison.Ordinal);
        return isConstant && problem.Pointer.LastIndexOf('/') == pointer.Length;
    }
}
