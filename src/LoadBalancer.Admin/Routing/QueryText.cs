namespace LoadBalancer.Admin.Routing;

/// <summary>The parameters of a query, percent-decoded; "+" is a space, as forms have it.</summary>
internal static class QueryText
{
    /// <summary>The first value of that name; null where there is none.</summary>
    internal static string? Find(string query, string name)
    {
        foreach ((string key, string value) in Read(query))
            if (key == name) return value;
        return null;
    }

    /// <summary>All of them, in their order; one without "=" has an empty value.</summary>
    internal static IEnumerable<(string Name, string Value)> Read(string query)
    {
        foreach (string pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            yield return equals < 0 ? (Decode(pair), "") : (Decode(pair[..equals]), Decode(pair[(equals + 1)..]));
        }
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
