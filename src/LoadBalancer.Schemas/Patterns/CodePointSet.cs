using System.Globalization;
using System.Text;

namespace LoadBalancer.Schemas.Patterns;

/// <summary>The characters of a class of a regular expression, by code point: .NET matches UTF-16 units, of which those beyond the basic plane take two.</summary>
internal sealed class CodePointSet
{
    private const int Last = 0x10FFFF, Astral = 0x10000;

    private List<(int First, int Last)> _ranges = [];
    private readonly StringBuilder _categories = new();

    internal void Add(int first, int last) => _ranges.Add((first, last));

    internal void AddAll(CodePointSet other)
    {
        _ranges.AddRange(other._ranges);
        _categories.Append(other._categories);
    }

    /// <summary>A general category, as in <c>\p{Lu}</c>. It is about the basic plane alone.</summary>
    internal void AddCategory(string category) => _categories.Append(category);

    internal static CodePointSet Of(params ReadOnlySpan<(int, int)> ranges)
    {
        var set = new CodePointSet();
        foreach ((int first, int last) in ranges) set.Add(first, last);
        return set;
    }

    internal CodePointSet Complement()
    {
        var complement = new CodePointSet();
        int next = 0;
        foreach ((int first, int last) in Merged())
        {
            if (first > next) complement.Add(next, first - 1);
            next = last + 1;
        }
        if (next <= Last) complement.Add(next, Last);
        return complement;
    }

    /// <summary>The class as .NET has it.</summary>
    internal string Translate(bool isNegated)
    {
        if (isNegated && _categories.Length == 0) return Complement().Translate(false);
        List<(int First, int Last)> ranges = isNegated ? Complement().Merged() : Merged();
        var basic = new StringBuilder();
        var alternatives = new List<string>();
        foreach ((int first, int last) in isNegated ? Merged() : ranges)
        {
            AppendBasic(basic, first, Math.Min(last, Astral - 1));
        }
        foreach ((int first, int last) in ranges)
        {
            if (last >= Astral) AddPairs(alternatives, Math.Max(first, Astral), last);
        }
        if (isNegated) alternatives.Insert(0, $"[^{basic}{_categories}\\ud800-\\udfff]");
        else if (basic.Length + _categories.Length > 0) alternatives.Insert(0, $"[{basic}{_categories}]");
        // A class of nothing never matches.
        if (alternatives.Count == 0) return "[^\\u0000-\\uffff]";
        return alternatives.Count == 1 ? alternatives[0].Contains("][", StringComparison.Ordinal) ? $"(?:{alternatives[0]})" : alternatives[0]
            : $"(?:{string.Join('|', alternatives)})";
    }

    private List<(int First, int Last)> Merged()
    {
        _ranges.Sort();
        var merged = new List<(int First, int Last)>();
        foreach ((int first, int last) in _ranges)
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1) merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            else merged.Add((first, last));
        }
        return _ranges = merged;
    }

    private static void AppendBasic(StringBuilder text, int first, int last)
    {
        // Halves of pairs are no characters.
        if (first < 0xD800 && last > 0xDFFF)
        {
            AppendBasic(text, first, 0xD7FF);
            first = 0xE000;
        }
        if (first > last || (first >= 0xD800 && last <= 0xDFFF)) return;
        text.Append(Unit(first));
        if (last > first) text.Append('-').Append(Unit(last));
    }

    private static void AddPairs(List<string> alternatives, int first, int last)
    {
        int firstHigh = High(first), lastHigh = High(last);
        if (firstHigh == lastHigh)
        {
            alternatives.Add($"[{Unit(firstHigh)}][{Unit(Low(first))}-{Unit(Low(last))}]");
            return;
        }
        if (Low(first) != 0xDC00)
        {
            alternatives.Add($"[{Unit(firstHigh)}][{Unit(Low(first))}-\\udfff]");
            firstHigh++;
        }
        int wholeEnd = Low(last) == 0xDFFF ? lastHigh : lastHigh - 1;
        if (firstHigh <= wholeEnd) alternatives.Add($"[{Unit(firstHigh)}-{Unit(wholeEnd)}][\\udc00-\\udfff]");
        if (wholeEnd < lastHigh) alternatives.Add($"[{Unit(lastHigh)}][\\udc00-{Unit(Low(last))}]");
    }

    private static int High(int codePoint) => 0xD800 + (codePoint - Astral >> 10);

    private static int Low(int codePoint) => 0xDC00 + (codePoint - Astral & 0x3FF);

    private static string Unit(int unit) => $"\\u{unit.ToString("x4", CultureInfo.InvariantCulture)}";
}
