using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Protection.Addresses;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>Checks <see cref="AuthorizeConfig.Rules"/>.</summary>
internal static class AccessRuleValidator
{
    internal static void Validate(IReadOnlyList<AccessRuleConfig> rules, PolicyProblems problems)
    {
        if (rules.Count > AuthorizationRanges.RulesMax) problems.Add("rules", $"has {rules.Count} rules; expected at most {AuthorizationRanges.RulesMax}");
        for (int i = 0; i < rules.Count; i++) Rule($"rules[{i}]", rules[i], problems);
        for (int i = 0; i < rules.Count - 1; i++)
        {
            if (!IsUnconditional(rules[i])) continue;
            problems.Add($"rules[{i + 1}]", $"is never asked: rules[{i}] before it decides about everything");
            break;
        }
    }

    private static void Rule(string path, AccessRuleConfig rule, PolicyProblems problems)
    {
        if ((rule.Allow.Count > 0) == (rule.Deny.Count > 0))
            problems.Add(path, rule.Allow.Count > 0 ? "has both \"allow\" and \"deny\"; expected one of them" : "has no effect; expected \"allow\" or \"deny\" with methods, or \"*\" for all");
        Methods($"{path}.allow", rule.Allow, problems);
        Methods($"{path}.deny", rule.Deny, problems);
        if (rule.Name is { } name && (name.Length is 0 or > 128 || name.Any(char.IsControl))) problems.Add($"{path}.name", "expected 1 to 128 characters, none of them a control character");
        for (int i = 0; i < rule.Path.Count; i++)
            if (PathPattern.Error(rule.Path[i]) is { } error) problems.Add($"{path}.path[{i}]", $"{CharacterText.Quote(rule.Path[i])} {error}");
        foreach ((string claim, ClaimConditionConfig condition) in rule.Claims) Claim(ConfigPath.Member($"{path}.claims", claim), claim, condition, rule, problems);
        Texts($"{path}.scopes", rule.Scopes, problems);
        Texts($"{path}.roles", rule.Roles, problems);
        Texts($"{path}.permissions", rule.Permissions, problems);
        if (rule.Authenticated == false && rule.Claims.Count + rule.Scopes.Count + rule.Roles.Count + rule.Permissions.Count > 0)
            problems.Add($"{path}.authenticated", "is false beside conditions on who it is: the rule never matches");
        for (int i = 0; i < rule.Clients.Count; i++) Client($"{path}.clients[{i}]", rule.Clients[i], problems);
    }

    private static void Methods(string path, IReadOnlyList<string> methods, PolicyProblems problems)
    {
        for (int i = 0; i < methods.Count; i++)
        {
            string method = methods[i];
            if (method == "*") continue;
            if (!HttpSyntax.IsToken(method)) problems.Add($"{path}[{i}]", $"{CharacterText.Quote(method)} is no method; expected one such as \"GET\", or \"*\"");
            else if (method.Any(char.IsAsciiLetterLower)) problems.Add($"{path}[{i}]", $"{CharacterText.Quote(method)}: methods are in upper case; did you mean \"{method.ToUpperInvariant()}\"?");
        }
    }

    private static void Claim(string path, string claim, ClaimConditionConfig condition, AccessRuleConfig rule, PolicyProblems problems)
    {
        if (claim.Length == 0) problems.Add(path, "the name of a claim is empty");
        if (condition.Is.Count + condition.Prefix.Count == 0 && condition.Present is null) problems.Add(path, "asks for nothing; expected values, \"prefix\", or true for any");
        foreach (string prefix in condition.Prefix) if (prefix.Length == 0) problems.Add(path, "an empty prefix is one of everything; expected true for any value");
        foreach (string variable in condition.Is.Concat(condition.Prefix).SelectMany(ValueTemplate.NamesIn).Distinct())
        {
            if (rule.Path.Count > 0 && rule.Path.All(pattern => pattern.Split('/').Contains($"{{{variable}}}"))) continue;
            string where = rule.Path.Count switch { 0 => "the rule has no \"path\"", 1 => "the rule's path has no such segment", _ => "not each path of the rule has such a segment" };
            problems.Add(path, $"{{{variable}}} is a variable of the path, but {where}; expected one such as \"/users/{{{variable}}}\"");
        }
    }

    private static void Texts(string path, IReadOnlyList<string> texts, PolicyProblems problems)
    {
        for (int i = 0; i < texts.Count; i++) if (texts[i].Length == 0) problems.Add($"{path}[{i}]", "is empty");
    }

    private static void Client(string path, string client, PolicyProblems problems)
    {
        if (AddressBlockText.TryParse(client, out _, out string? problem) || problems.Config.AddressLists.ContainsKey(client)) return;
        // A name has no "." or ":" mostly.
        bool isAddress = client.Length > 0 && char.IsAsciiHexDigit(client[0]) && client.AsSpan().ContainsAny('.', ':', '/');
        problems.Add(path, isAddress ? $"{CharacterText.Quote(client)} {problem}" : $"{CharacterText.Quote(client)} is neither an address block nor the name of an address list{Suggestion.Text(client, [.. problems.Config.AddressLists.Keys])}");
    }

    private static bool IsUnconditional(AccessRuleConfig rule) =>
        (rule.Allow.Contains("*") || rule.Deny.Contains("*")) && rule.Path.All(path => path == "/**") && rule.Authenticated is null
        && rule.Claims.Count + rule.Scopes.Count + rule.Roles.Count + rule.Permissions.Count + rule.Clients.Count == 0;
}
