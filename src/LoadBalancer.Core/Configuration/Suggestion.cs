namespace LoadBalancer.Core.Configuration;

/// <summary>"Did you mean": the nearest known name by edit distance, where it is near enough to be what was meant.</summary>
internal static class Suggestion
{
    /// <summary>The nearest candidate, or null when none is near. Differences of case count for nothing.</summary>
    internal static string? Nearest(string written, IEnumerable<string> candidates)
    {
        // A third of the letters may be wrong: "routs" finds "routes", "x" finds nothing.
        int best = Math.Max(1, written.Length / 3) + 1;
        string? nearest = null;
        foreach (string candidate in candidates)
        {
            if (Math.Abs(candidate.Length - written.Length) >= best) continue;
            int distance = Distance(written, candidate);
            if (distance >= best || distance >= candidate.Length) continue;
            best = distance;
            nearest = candidate;
        }
        return nearest;
    }

    /// <summary>The end of a message: <c>; did you mean "x"?</c>, or else <c>; known are a, b</c>, or nothing when there is nothing to choose from.</summary>
    internal static string Text(string written, IReadOnlyCollection<string> candidates)
    {
        const int ListedMax = 24;
        if (Nearest(written, candidates) is { } nearest) return $"; did you mean \"{nearest}\"?";
        if (candidates.Count == 0) return "";
        string more = candidates.Count > ListedMax ? $" and {candidates.Count - ListedMax} more" : "";
        return $"; expected {(candidates.Count == 1 ? "" : "one of ")}{string.Join(", ", candidates.Take(ListedMax).Select(c => $"\"{c}\""))}{more}";
    }

    // Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                int value = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1])) value = Math.Min(value, d[i - 2, j - 2] + 1);
                d[i, j] = value;
            }
        }
        return d[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
