namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="BlockRuleConfig"/>.</summary>
internal static class BlockRuleValidator
{
    private const int PatternCharactersMax = 1024;

    internal static void Validate(ProxyConfig config, string name, BlockRuleConfig rule, ProblemList problems)
    {
        string path = ConfigPath.Member("blockRules", name);
        problems.Name(path, name, "rule");
        for (int i = 0; i < rule.Listeners.Count; i++)
        {
            string item = ConfigPath.Item($"{path}.listeners", i), listener = rule.Listeners[i];
            if (!config.Listeners.TryGetValue(listener, out ListenerConfig? known)) problems.Add(item, $"there is no listener {CharacterText.Quote(listener)}{Suggestion.Text(listener, [.. config.Listeners.Keys])}");
            else if (known.Tcp is not null) problems.Add(item, $"listener {CharacterText.Quote(listener)} forwards TCP and has no requests");
        }
        Patterns($"{path}.hosts", rule.Hosts, HostError, problems);
        Patterns($"{path}.paths", rule.Paths, PathError, problems);
        Patterns($"{path}.userAgents", rule.UserAgents, HttpSyntax.FieldValueError, problems);
        for (int i = 0; i < rule.Methods.Count; i++) RouteValidator.Method(ConfigPath.Item($"{path}.methods", i), rule.Methods[i], problems);
        RouteValidator.Headers($"{path}.headers", rule.Headers, problems);
        foreach ((string field, string pattern) in rule.Headers)
            if (pattern.Length > PatternCharactersMax) problems.Add(ConfigPath.Member($"{path}.headers", field), TooLong(pattern));
        AccessValidator.Lists(config, $"{path}.addresses", rule.Addresses, problems);
        problems.Range(path, "status", rule.Status, ConfigRanges.BlockStatus);
        if (rule.Hosts.Count + rule.Paths.Count + rule.UserAgents.Count + rule.Methods.Count + rule.Headers.Count + rule.Addresses.Count == 0)
            problems.Add(path, "has no condition, so it would refuse everything; expected one of \"hosts\", \"paths\", \"methods\", \"headers\", \"userAgents\", \"addresses\"");
    }

    private static void Patterns(string path, IReadOnlyList<string> patterns, Func<string, string?> errorOf, ProblemList problems)
    {
        for (int i = 0; i < patterns.Count; i++)
        {
            string? error = errorOf(patterns[i]);
            if (error is not null) problems.Add(ConfigPath.Item(path, i), $"{CharacterText.Quote(patterns[i])} {error}");
            else if (patterns[i].Length > PatternCharactersMax) problems.Add(ConfigPath.Item(path, i), TooLong(patterns[i]));
        }
    }

    private static string TooLong(string pattern) => $"{CharacterText.Quote(pattern)} has {pattern.Length} characters; expected at most {PatternCharactersMax}";

    private static string? HostError(string pattern) =>
        pattern.Length == 0 ? "is empty; leave \"hosts\" out for any host"
        : pattern.Contains('/') ? "is a URL, not a host; expected \"example.com\" or \"*.example.com\""
        : pattern.LastIndexOf(':') > pattern.LastIndexOf(']') ? "has a port; rules are for every port of a host"
        : pattern[^1] == '.' ? $"ends with a dot; did you mean \"{pattern.TrimEnd('.')}\"?"
        : HttpSyntax.FieldValueError(pattern);

    private static string? PathError(string pattern) =>
        pattern.Length == 0 ? "is empty; leave \"paths\" out for any path"
        : pattern[0] is not ('/' or '*') ? $"starts with neither \"/\" nor \"*\"; did you mean \"/{pattern}\" or \"*{pattern}\"?"
        : pattern.Contains('{') ? "has \"{\"; expected \"*\" for any characters"
        : pattern.Contains('?') ? "has a query; a path ends before the \"?\""
        : pattern.Contains('#') ? "has a fragment, which no request carries"
        : pattern.Contains(' ') ? "has a space, which must be percent-encoded"
        : HttpSyntax.FieldValueError(pattern);
}
