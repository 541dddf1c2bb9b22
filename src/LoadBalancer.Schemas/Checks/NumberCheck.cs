using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf (2020-12 validation §6.2), without rounding.</summary>
internal sealed class NumberCheck(IReadOnlyList<NumberBound> bounds) : Check(KindSet.Number)
{
    private readonly NumberBound[] _bounds = [.. bounds];

    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        ReadOnlySpan<byte> text = run.Instance.TextOf(node);
        if (!run.Spend(text.Length >> 5)) return false;
        ExactNumber number = ExactNumber.Parse(text);
        bool isValid = true;
        foreach (NumberBound bound in _bounds)
        {
            if (bound.Holds(number)) continue;
            isValid = false;
            if (!run.GoesOn) return false;
            run.Report(node, bound.Rule, bound.Message);
        }
        return isValid;
    }
}

internal enum NumberRule : byte
{
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
    MultipleOf,
}

/// <summary>One bound of a number, its place in the schema and what is said when it does not hold.</summary>
internal sealed class NumberBound(NumberRule kind, ExactNumber value, string rule, string text)
{
    internal string Rule { get; } = rule;

    internal string Message { get; } = kind switch
    {
        NumberRule.Minimum => $"must be at least {text}",
        NumberRule.Maximum => $"must be at most {text}",
        NumberRule.ExclusiveMinimum => $"must be more than {text}",
        NumberRule.ExclusiveMaximum => $"must be less than {text}",
        _ => $"must be a multiple of {text}",
    };

    internal bool Holds(in ExactNumber number) => kind switch
    {
        NumberRule.Minimum => number.CompareTo(value) >= 0,
        NumberRule.Maximum => number.CompareTo(value) <= 0,
        NumberRule.ExclusiveMinimum => number.CompareTo(value) > 0,
        NumberRule.ExclusiveMaximum => number.CompareTo(value) < 0,
        _ => number.IsMultipleOf(value),
    };
}
