using System.Buffers;
using System.Numerics;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>prefixItems and items; in draft 7 items and additionalItems.</summary>
internal sealed class ItemsCheck(SchemaNode[] prefix, SchemaNode? rest) : Check(KindSet.Array)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int end = run.Instance.Nodes[node].End;
        int index = 0;
        bool isValid = true;
        for (int item = node + 1; item < end; item = run.Instance.Nodes[item].End, index++)
        {
            SchemaNode? schema = index < prefix.Length ? prefix[index] : rest;
            if (schema is null) break;
            if (frame >= 0) run.Memory.Mark(frame, index);
            if (schema.Evaluate(ref run, item, -1)) continue;
            isValid = false;
            if (!run.GoesOn) return false;
        }
        return isValid;
    }
}

/// <summary>minItems, maxItems.</summary>
internal sealed class ItemCountCheck(int min, int max, string location) : Check(KindSet.Array)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int count = run.Instance.Nodes[node].Count;
        if (count >= min && count <= max) return true;
        if (run.GoesOn)
        {
            bool isShort = count < min;
            run.Report(node, location + (isShort ? "/minItems" : "/maxItems"), $"has {count} items; expected at {(isShort ? "least" : "most")} {(isShort ? min : max)}");
        }
        return false;
    }
}

/// <summary>contains, minContains, maxContains.</summary>
internal sealed class ContainsCheck(SchemaNode schema, int min, int max, string location, bool marks) : Check(KindSet.Array)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int end = run.Instance.Nodes[node].End;
        int index = 0, found = 0;
        List<InstanceProblem>? problems = run.Problems;
        run.Problems = null;
        for (int item = node + 1; item < end; item = run.Instance.Nodes[item].End, index++)
        {
            if (!schema.Evaluate(ref run, item, -1)) continue;
            found++;
            if (frame >= 0 && marks) run.Memory.Mark(frame, index);
            else if (found > max || (found >= min && max == int.MaxValue)) break;
        }
        run.Problems = problems;
        if (found >= min && found <= max) return !run.IsExhausted;
        if (run.GoesOn)
        {
            run.Report(node, location + (found > max ? "/maxContains" : min == 1 ? "/contains" : "/minContains"),
                found > max ? $"more than {max} of its items are as \"contains\" has them" : $"{found} of its items are as \"contains\" has them; expected at least {min}");
        }
        return false;
    }
}

/// <summary>uniqueItems. Takes time in proportion to the size: items are compared when their hashes are equal.</summary>
internal sealed class UniqueItemsCheck(string rule) : Check(KindSet.Array)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int count = run.Instance.Nodes[node].Count;
        if (count < 2) return true;
        int twin = Find(ref run, node, count);
        if (twin < 0) return !run.IsExhausted;
        run.Report(twin, rule, "is there twice; items must be unique");
        return false;
    }

    private static int Find(ref ValidationRun run, int node, int count)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)count * 2);
        if (!run.Spend(count)) return -1;
        (ulong Hash, int Node)[] table = ArrayPool<(ulong, int)>.Shared.Rent(size);
        try
        {
            table.AsSpan(0, size).Clear();
            JsonView view = run.Instance;
            int end = view.Nodes[node].End;
            for (int item = node + 1; item < end; item = view.Nodes[item].End)
            {
                ulong hash = JsonEquality.HashOf(ref run, view, item);
                int at = (int)hash & size - 1;
                for (; table[at].Node != 0; at = at + 1 & size - 1)
                {
                    if (table[at].Hash == hash && JsonEquality.AreEqual(ref run, view, table[at].Node, view, item)) return item;
                    if (!run.Spend(1)) return -1;
                }
                table[at] = (hash, item);
            }
            return -1;
        }
        finally
        {
            ArrayPool<(ulong, int)>.Shared.Return(table);
        }
    }
}
