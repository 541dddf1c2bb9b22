using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>unevaluatedProperties: those that no keyword beside it has evaluated. It stands last in its schema.</summary>
internal sealed class UnevaluatedPropertiesCheck(SchemaNode schema, string rule) : Check(KindSet.Object)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int end = run.Instance.Nodes[node].End;
        int index = 0;
        bool isValid = true;
        for (int name = node + 1; name < end; name = run.Instance.Nodes[name + 1].End, index++)
        {
            if (run.Memory.IsMarked(frame, index)) continue;
            run.Memory.Mark(frame, index);
            if (schema.IsFalse)
            {
                isValid = false;
                if (run.GoesOn) run.Report(name, rule, $"the property {Shown(run.Instance.TextOf(name))} is not allowed");
            }
            else if (!schema.Evaluate(ref run, name + 1, -1))
            {
                isValid = false;
            }
            if (!isValid && !run.GoesOn) return false;
        }
        return isValid;
    }
}

/// <summary>unevaluatedItems: those that no keyword beside it has evaluated. It stands last in its schema.</summary>
internal sealed class UnevaluatedItemsCheck(SchemaNode schema, string rule) : Check(KindSet.Array)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int end = run.Instance.Nodes[node].End;
        int index = 0;
        bool isValid = true;
        for (int item = node + 1; item < end; item = run.Instance.Nodes[item].End, index++)
        {
            if (run.Memory.IsMarked(frame, index)) continue;
            run.Memory.Mark(frame, index);
            if (schema.IsFalse)
            {
                isValid = false;
                run.Report(item, rule, "this item is not allowed");
            }
            else if (!schema.Evaluate(ref run, item, -1))
            {
                isValid = false;
            }
            if (!isValid && !run.GoesOn) return false;
        }
        return isValid;
    }
}
