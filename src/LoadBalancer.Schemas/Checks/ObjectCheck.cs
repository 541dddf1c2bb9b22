using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Patterns;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>properties, patternProperties, additionalProperties, propertyNames and required, in one pass over the properties of the instance.</summary>
internal sealed class ObjectCheck : Check
{
    private readonly NameTable _names;
    private readonly SchemaNode?[] _schemas; // null: only required
    private readonly bool[] _isKnown; // by "properties": not additional
    private readonly int[] _requiredBit; // -1: not required
    private readonly string[] _required;
    private readonly ulong _requiredMask;
    private readonly (EcmaPattern Pattern, SchemaNode Schema)[] _patterns;
    private readonly SchemaNode? _additional;
    private readonly SchemaNode? _nameSchema;
    private readonly string _location;

    internal const int RequiredMax = 64; // more are checked by RequiredCheck

    internal ObjectCheck(IReadOnlyList<(string Name, SchemaNode Schema)> properties, IReadOnlyList<string> required,
        (EcmaPattern Pattern, SchemaNode Schema)[] patterns, SchemaNode? additional, SchemaNode? nameSchema, string location) : base(KindSet.Object)
    {
        List<string> names = [.. properties.Select(p => p.Name)];
        names.AddRange(required.Where(r => !names.Contains(r)).Distinct().ToList());
        _names = new NameTable(names);
        _schemas = [.. properties.Select(p => (SchemaNode?)p.Schema), .. new SchemaNode?[names.Count - properties.Count]];
        _isKnown = [.. Enumerable.Range(0, names.Count).Select(i => i < properties.Count)];
        _required = [.. required.Distinct()];
        _requiredBit = [.. names.Select(n => Array.IndexOf(_required, n))];
        _requiredMask = _required.Length == RequiredMax ? ulong.MaxValue : (1UL << _required.Length) - 1;
        _patterns = patterns;
        _additional = additional;
        _nameSchema = nameSchema;
        _location = location;
    }

    // Hot path: per object of a body. 0 allocations. SchemaAllocationTests
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        JsonView view = run.Instance;
        int end = view.Nodes[node].End;
        ulong missing = _requiredMask;
        bool isValid = true;
        int index = 0;
        for (int name = node + 1; name < end; name = view.Nodes[name + 1].End, index++)
        {
            int slot = _names.Find(view.TextOf(name), view.Nodes[name].Count);
            bool isEvaluated = false;
            if (slot >= 0)
            {
                if (_requiredBit[slot] >= 0) missing &= ~(1UL << _requiredBit[slot]);
                isEvaluated = _isKnown[slot];
                if (_schemas[slot] is { } schema && !schema.Evaluate(ref run, name + 1, -1)) isValid = false;
            }
            if (_patterns.Length > 0 && !EvaluatePatterns(ref run, name, ref isEvaluated)) isValid = false;
            if (!isEvaluated && _additional is not null)
            {
                isEvaluated = true;
                if (!EvaluateAdditional(ref run, name)) isValid = false;
            }
            if (_nameSchema is not null && !_nameSchema.Evaluate(ref run, name, -1)) isValid = false;
            if (!isValid && !run.GoesOn) return false;
            if (isEvaluated && frame >= 0) run.Memory.Mark(frame, index);
        }
        if (missing == 0) return isValid;
        for (int i = 0; i < _required.Length && run.GoesOn; i++)
        {
            if ((missing & 1UL << i) != 0) run.Report(node, _location + "/required", $"the property \"{_required[i]}\" is missing");
        }
        return false;
    }

    private bool EvaluatePatterns(ref ValidationRun run, int name, ref bool isEvaluated)
    {
        bool isValid = true;
        foreach ((EcmaPattern pattern, SchemaNode schema) in _patterns)
        {
            if (!pattern.IsMatch(ref run, run.Instance.TextOf(name))) continue;
            isEvaluated = true;
            if (!schema.Evaluate(ref run, name + 1, -1)) isValid = false;
        }
        return isValid;
    }

    private bool EvaluateAdditional(ref ValidationRun run, int name)
    {
        if (!_additional!.IsFalse) return _additional.Evaluate(ref run, name + 1, -1);
        if (run.GoesOn) run.Report(name, _location + "/additionalProperties", $"the property {Shown(run.Instance.TextOf(name))} is not allowed");
        return false;
    }
}

/// <summary>required, beyond what <see cref="ObjectCheck"/> counts in one word.</summary>
internal sealed class RequiredCheck(IReadOnlyList<string> names, string rule) : Check(KindSet.Object)
{
    private readonly NameTable _names = new(names);

    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        bool isValid = true;
        for (int i = 0; i < _names.Count; i++)
        {
            if (!run.Spend(1 + (run.Instance.Nodes[node].Count >> 3))) return false;
            if (run.Instance.Find(node, _names[i], _names.HashOf(i)) >= 0) continue;
            isValid = false;
            if (!run.GoesOn) return false;
            run.Report(node, rule, $"the property \"{names[i]}\" is missing");
        }
        return isValid;
    }
}

/// <summary>minProperties, maxProperties.</summary>
internal sealed class PropertyCountCheck(int min, int max, string location) : Check(KindSet.Object)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        int count = run.Instance.Nodes[node].Count;
        if (count >= min && count <= max) return true;
        if (run.GoesOn)
        {
            bool isShort = count < min;
            run.Report(node, location + (isShort ? "/minProperties" : "/maxProperties"),
                $"has {count} properties; expected at {(isShort ? "least" : "most")} {(isShort ? min : max)}");
        }
        return false;
    }
}

/// <summary>dependentRequired and dependentSchemas; in draft 7 both are "dependencies".</summary>
internal sealed class DependentCheck(string name, IReadOnlyList<string> required, SchemaNode? schema, string rule) : Check(KindSet.Object)
{
    private readonly NameTable _names = new([name, .. required]);

    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        if (!run.Spend(1 + (run.Instance.Nodes[node].Count >> 3)) || run.Instance.Find(node, _names[0], _names.HashOf(0)) < 0) return !run.IsExhausted;
        bool isValid = schema is null || schema.Evaluate(ref run, node, frame);
        for (int i = 1; i < _names.Count; i++)
        {
            if (!run.Spend(1 + (run.Instance.Nodes[node].Count >> 3))) return false;
            if (run.Instance.Find(node, _names[i], _names.HashOf(i)) >= 0) continue;
            isValid = false;
            if (!run.GoesOn) return false;
            run.Report(node, rule, $"the property \"{required[i - 1]}\" is missing, which \"{name}\" asks for");
        }
        return isValid;
    }
}
