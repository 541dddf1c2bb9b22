using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Compilation;

/// <summary>Finds schemas that come back to themselves without going into the instance: they would never end (2020-12 core §9.4.1).</summary>
internal static class ReferenceLoops
{
    private enum Visit : byte
    {
        Open,
        Done,
    }

    internal static void Report(Dictionary<SchemaNode, List<SchemaNode>> edges, SchemaRegistry registry)
    {
        var visits = new Dictionary<SchemaNode, Visit>();
        var path = new Stack<(SchemaNode Node, int Next)>();
        foreach (SchemaNode start in edges.Keys)
        {
            if (visits.ContainsKey(start)) continue;
            visits[start] = Visit.Open;
            path.Push((start, 0));
            while (path.TryPop(out (SchemaNode Node, int Next) at))
            {
                if (!edges.TryGetValue(at.Node, out List<SchemaNode>? targets) || at.Next >= targets.Count)
                {
                    visits[at.Node] = Visit.Done;
                    continue;
                }
                path.Push((at.Node, at.Next + 1));
                SchemaNode target = targets[at.Next];
                if (!visits.TryGetValue(target, out Visit visit))
                {
                    visits[target] = Visit.Open;
                    path.Push((target, 0));
                }
                else if (visit == Visit.Open)
                {
                    registry.Add(at.Node.Location, $"refers to {target.Location}, which leads back here for the same value: it would never end");
                }
            }
        }
    }
}
