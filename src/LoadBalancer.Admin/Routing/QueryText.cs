namespace LoadBalancer.Admin.Routing;

/// <summary>The parameters of a query, percent-decoded; "+" is a space, as forms have it.</summary>
internal static class QueryText
{
    /// <summary>The first value of that name; null where there is none.</summary>
    internal static string? Find(string query, string name)
    {
        foreach (Range part in query.AsSpan().TrimStart('?').Split('&'))
        {
            ReadOnlySpan<char> pair = query.AsSpan().TrimStart('?')[part];
            int equals = pair.IndexOf('=');
            ReadOnlySpan<char> key = equals < 0 ? pair : pair[..equals];
            if (Decode(key) == name) return equals < 0 ? "" : Decode(pair[(equals + 1)..]);
        }
        return null;
    }

    private static string Decode(ReadOnlySpan<char> text) => Uri.UnescapeDataString(text.ToString().Replace('+', ' '));
}
