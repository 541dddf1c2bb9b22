using System.Text;

namespace LoadBalancer.Translation.Maps;

/// <summary>
/// Where a value stands in a document: <c>name</c>, <c>address.street</c>, <c>items[].name</c> (in every element), <c>byId.*.name</c> (in every member), <c>['a.b']</c> for
/// names that are no plain words, <c>$</c> for the document itself.
/// </summary>
internal sealed class FieldPath : IEquatable<FieldPath>
{
    private static readonly System.Buffers.SearchValues<char> Special = System.Buffers.SearchValues.Create(".[]'\"{}$");

    /// <summary>Steps that a path may have.</summary>
    internal const int StepsMax = 32;

    private FieldPath(PathStep[] steps) => Steps = steps;

    internal PathStep[] Steps { get; }

    internal bool IsRoot => Steps.Length == 0;

    /// <summary>Elements and members that the path goes through: both sides of a rule have the same.</summary>
    internal IEnumerable<PathStepKind> Repeats => Steps.Where(s => s.Kind != PathStepKind.Name).Select(s => s.Kind);

    /// <summary>Index of the first step that goes through elements or members; -1 when none does.</summary>
    internal int FirstRepeat => Array.FindIndex(Steps, s => s.Kind != PathStepKind.Name);

    internal static FieldPath Root { get; } = new([]);

    /// <summary>The member of that name, whatever it has in it.</summary>
    internal static FieldPath Of(string name) => new([new(PathStepKind.Name, name)]);

    internal FieldPath From(int step) => new(Steps[step..]);

    internal FieldPath Until(int step) => new(Steps[..step]);

    /// <summary>Reads a path; else what is wrong, as the rest of a sentence.</summary>
    internal static FieldPath? Parse(string text, out string error)
    {
        error = "";
        var steps = new List<PathStep>();
        int at = 0;
        bool wantsName = true; // at the start and after "."
        if (text.StartsWith('$'))
        {
            at = 1;
            wantsName = false;
        }
        else if (text.StartsWith('[')) wantsName = false;
        if (text.Length == 0) error = "is empty; expected a path such as \"address.street\", or \"$\" for the document itself";
        while (error.Length == 0 && at < text.Length)
        {
            if (wantsName)
            {
                int end = text.AsSpan(at).IndexOfAny('.', '[');
                end = end < 0 ? text.Length : at + end;
                string name = text[at..end];
                if (name.Length == 0) error = "has an empty name";
                else if (name.AsSpan().ContainsAny("]'\"{}") || name.Any(c => c <= ' ')) error = $"has \"{name}\"; names that are no plain words are written ['…']";
                else steps.Add(name == "*" ? new(PathStepKind.Members, "") : new(PathStepKind.Name, name));
                at = end;
                wantsName = false;
            }
            else if (text[at] == '.')
            {
                at++;
                wantsName = true;
                if (at == text.Length) error = "ends with \".\"";
            }
            else if (text.AsSpan(at).StartsWith("[]"))
            {
                steps.Add(new(PathStepKind.Items, ""));
                at += 2;
            }
            else if (text.AsSpan(at).StartsWith("['") && text.IndexOf("']", at + 2, StringComparison.Ordinal) is var close and > 0)
            {
                steps.Add(new(PathStepKind.Name, text[(at + 2)..close]));
                at = close + 2;
            }
            else error = text[at] == '[' ? "has \"[\" that is neither \"[]\" (every element) nor ['name']" : $"has \"{text[at]}\" where \".\" or \"[]\" was expected";
        }
        if (error.Length == 0 && steps.Count > StepsMax) error = $"has {steps.Count} steps; expected at most {StepsMax}";
        return error.Length == 0 ? new([.. steps]) : null;
    }

    public bool Equals(FieldPath? other) => other is not null && Steps.AsSpan().SequenceEqual(other.Steps);

    public override bool Equals(object? obj) => Equals(obj as FieldPath);

    public override int GetHashCode() => Steps.Aggregate(0, HashCode.Combine);

    public override string ToString()
    {
        if (Steps.Length == 0) return "$";
        var text = new StringBuilder();
        foreach (PathStep step in Steps)
        {
            if (step.Kind == PathStepKind.Items)
            {
                text.Append(text.Length == 0 ? "$[]" : "[]");
                continue;
            }
            string name = step.Kind == PathStepKind.Members ? "*" : step.Name;
            if (step.Kind == PathStepKind.Name && (name is "" or "*" || name.AsSpan().ContainsAny(Special) || name.Any(c => c <= ' '))) text.Append("['").Append(name).Append("']");
            else text.Append(text.Length == 0 ? "" : ".").Append(name);
        }
        return text.ToString();
    }
}

/// <summary>One step of a path.</summary>
internal readonly record struct PathStep(PathStepKind Kind, string Name);

/// <summary>What a step of a path goes to.</summary>
internal enum PathStepKind : byte
{
    /// <summary>The member of that name.</summary>
    Name,
    /// <summary>Every element of an array.</summary>
    Items,
    /// <summary>Every member of an object, whatever its name.</summary>
    Members,
}
