using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Validation;

/// <summary>Equality of JSON values as schemas have it (2020-12 core §4.2.2): numbers by value, objects without regard to order.</summary>
internal static class JsonEquality
{
    internal static bool AreEqual(ref ValidationRun run, in JsonView a, int i, in JsonView b, int k)
    {
        if (!run.Spend(1)) return false;
        ref readonly JsonNode x = ref a.Nodes[i];
        ref readonly JsonNode y = ref b.Nodes[k];
        if (x.Kind != y.Kind)
        {
            return x.Kind is JsonKind.Name or JsonKind.String && y.Kind is JsonKind.Name or JsonKind.String && a.TextOf(x).SequenceEqual(b.TextOf(y));
        }
        switch (x.Kind)
        {
            case JsonKind.String or JsonKind.Name: return a.TextOf(x).SequenceEqual(b.TextOf(y));
            case JsonKind.Number: return a.TextOf(x).SequenceEqual(b.TextOf(y)) || ExactNumber.Parse(a.TextOf(x)).Equals(ExactNumber.Parse(b.TextOf(y)));
            case JsonKind.Array:
                if (x.Count != y.Count) return false;
                for (int p = i + 1, q = k + 1; p < x.End; p = a.Nodes[p].End, q = b.Nodes[q].End)
                {
                    if (!AreEqual(ref run, a, p, b, q)) return false;
                }
                return true;
            case JsonKind.Object:
                if (x.Count != y.Count) return false;
                // Looking for each name in turn is paid for in steps.
                for (int p = i + 1; p < x.End; p = a.Nodes[p + 1].End)
                {
                    int found = b.Find(k, a.TextOf(p), a.Nodes[p].Count);
                    if (!run.Spend(y.Count / 8) || found < 0 || !AreEqual(ref run, a, p + 1, b, found)) return false;
                }
                return true;
            default: return true;
        }
    }

    /// <summary>Equal values have equal hashes.</summary>
    internal static ulong HashOf(ref ValidationRun run, in JsonView view, int i)
    {
        if (!run.Spend(1)) return 0;
        ref readonly JsonNode node = ref view.Nodes[i];
        ulong hash = (ulong)node.Kind + 1;
        switch (node.Kind)
        {
            case JsonKind.String: return NameHash.Fold(hash, (uint)NameHash.Of(view.TextOf(node)));
            case JsonKind.Number: return NameHash.Fold(hash, (uint)ExactNumber.Parse(view.TextOf(node)).GetHashCode());
            case JsonKind.Array:
                for (int p = i + 1; p < node.End; p = view.Nodes[p].End) hash = NameHash.Fold(hash * 31, HashOf(ref run, view, p));
                return hash;
            case JsonKind.Object:
                ulong sum = 0;
                for (int p = i + 1; p < node.End; p = view.Nodes[p + 1].End) sum += NameHash.Fold((uint)view.Nodes[p].Count, HashOf(ref run, view, p + 1));
                return NameHash.Fold(hash, sum);
            default: return hash;
        }
    }
}
