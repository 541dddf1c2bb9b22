namespace LoadBalancer.Core.Configuration;

/// <summary>"Did you mean": the nearest of the names there are.</summary>
public static class Suggestion
{
    /// <summary>" (did you mean 'x'?)" when one is near enough, else nothing.</summary>
    public static string For(string word, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = Math.Max(1, word.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            int distance = Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance >= bestDistance) continue;
            bestDistance = distance;
            best = candidate;
        }
        return best is null ? "" : $" (did you mean '{best}'?)";
    }

    // Levenshtein over short words.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
