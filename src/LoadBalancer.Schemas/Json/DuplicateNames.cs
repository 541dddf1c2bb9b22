using System.Buffers;
using System.Numerics;

namespace LoadBalancer.Schemas.Json;

/// <summary>Finds a property that an object names twice.</summary>
internal static class DuplicateNames
{
    private const int PairwiseMax = 12; // up to here comparing each with each is cheaper than a table

    /// <summary>The node of the second name; -1: none.</summary>
    internal static int Find(in JsonView view, int node)
    {
        ReadOnlySpan<JsonNode> nodes = view.Nodes;
        int end = nodes[node].End;
        if (nodes[node].Count > PairwiseMax) return FindByTable(view, node);
        for (int i = nodes[node + 2].End; i < end; i = nodes[i + 1].End)
        {
            int hash = nodes[i].Count;
            for (int k = node + 1; k < i; k = nodes[k + 1].End)
            {
                if (nodes[k].Count == hash && view.TextOf(k).SequenceEqual(view.TextOf(i))) return i;
            }
        }
        return -1;
    }

    private static int FindByTable(in JsonView view, int node)
    {
        ReadOnlySpan<JsonNode> nodes = view.Nodes;
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)nodes[node].Count * 2);
        int[] table = ArrayPool<int>.Shared.Rent(size);
        try
        {
            table.AsSpan(0, size).Clear();
            for (int i = node + 1; i < nodes[node].End; i = nodes[i + 1].End)
            {
                int hash = nodes[i].Count;
                int at = hash & size - 1;
                for (; table[at] != 0; at = at + 1 & size - 1)
                {
                    if (nodes[table[at]].Count == hash && view.TextOf(table[at]).SequenceEqual(view.TextOf(i))) return i;
                }
                table[at] = i;
            }
            return -1;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(table);
        }
    }
}
