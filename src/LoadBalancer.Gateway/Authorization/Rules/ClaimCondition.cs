namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>What a rule asks of one claim. Immutable.</summary>
internal sealed class ClaimCondition
{
    private readonly string[] _is, _prefixes;
    private readonly ValueTemplate[] _isTemplates, _prefixTemplates;
    private readonly bool? _present;

    internal ClaimCondition(int claim, ClaimConditionConfig config)
    {
        Claim = claim;
        _present = config.Present;
        (_is, _isTemplates) = Split(config.Is);
        (_prefixes, _prefixTemplates) = Split(config.Prefix);
    }

    /// <summary>Index among the claims of the policy.</summary>
    internal int Claim { get; }

    /// <summary>Whether it depends on the path.</summary>
    internal bool IsOfPath => _isTemplates.Length + _prefixTemplates.Length > 0;

    /// <summary>Whether it holds, whatever the path.</summary>
    internal bool Holds(IReadOnlyList<string> values)
    {
        if (_present is { } present && present == values.Count > 0) return true;
        for (int i = 0; i < values.Count; i++)
        {
            foreach (string wanted in _is) if (values[i] == wanted) return true;
            foreach (string prefix in _prefixes) if (values[i].StartsWith(prefix, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    /// <summary>Whether it holds for a path; <paramref name="ifUnreadable"/> where nobody can tell what a variable of it is.</summary>
    // Hot path: per request. 0 allocations.
    internal bool Holds(IReadOnlyList<string> values, RulePath pattern, ReadOnlySpan<byte> path, bool ifUnreadable)
    {
        if (Holds(values)) return true;
        for (int i = 0; i < values.Count; i++)
        {
            foreach (ValueTemplate wanted in _isTemplates) if (wanted.Matches(values[i], pattern, path, asPrefix: false, ifUnreadable)) return true;
            foreach (ValueTemplate prefix in _prefixTemplates) if (prefix.Matches(values[i], pattern, path, asPrefix: true, ifUnreadable)) return true;
        }
        return false;
    }

    private static (string[] Plain, ValueTemplate[] Templates) Split(IReadOnlyList<string> values)
    {
        ILookup<bool, string> byKind = values.ToLookup(value => ValueTemplate.Of(value) is null);
        return ([.. byKind[true]], [.. byKind[false].Select(value => ValueTemplate.Of(value)!)]);
    }
}
