using System.Text.Json;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Documents;

/// <summary>Lists of one.</summary>
internal static class Lists
{
    /// <summary>
    /// Reads an array to its end and finds its one element; of several the first where the rule is lossy. -1 where the value goes on as it is. False: it is refused.
    /// </summary>
    internal static bool TryFindFirst(DocumentTranslator work, ref Utf8JsonReader reader, ReadOnlySpan<byte> source, PlanRule rule, out int start, out int end)
    {
        start = end = -1;
        long position = reader.TokenStartIndex;
        if (reader.TokenType != JsonTokenType.StartArray) return Refusals.List(work, rule, position) && work.Skip(ref reader, source);
        if (!work.Enter(ref reader)) return false;
        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int at = (int)reader.TokenStartIndex;
            if (!work.Skip(ref reader, source)) return false;
            if (count++ > 0) continue;
            start = at;
            end = (int)reader.BytesConsumed;
        }
        if (count <= 1 || rule.Rule.IsLossy) return true;
        start = -1;
        return Refusals.List(work, rule, position);
    }
}
