using System.Globalization;
using System.Text;
using System.Text.Json;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.RoundTrips;

/// <summary>Documents made of rules: every field that a plan reads, with values that it can convert, and some that no rule names.</summary>
internal static class SampleDocument
{
    private const int DepthMax = 6; // types may contain themselves

    /// <param name="scope">The rules; of v1 → v2, as conversions make values of v1.</param>
    /// <param name="random">Chance.</param>
    /// <param name="isWhole">Nothing is left out.</param>
    internal static string Make(Scope scope, Random random, bool isWhole)
    {
        var text = new StringBuilder();
        Write(text, scope, scope.Root, random, isWhole, 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, Scope scope, SourceNode node, Random random, bool isWhole, int depth)
    {
        while (node.Type is { } type) (scope, node) = (type, type.Root);
        if (node.Rule?.Conversion is { } conversion) text.Append(conversion.Sample(random));
        else if (depth > DepthMax) text.Append("null");
        else if (node.Rule is { Kind: PlanRuleKind.Split } split) Text(text, string.Join(Encoding.UTF8.GetString(split.Rule.Separator!), Enumerable.Range(0, split.Targets.Length).Select(_ => Word(random))));
        else if (node.Rule is { Kind: PlanRuleKind.Join }) Text(text, Word(random));
        else if (node.Rule is { Kind: PlanRuleKind.Unwrap }) text.Append(CultureInfo.InvariantCulture, $"[{random.Next(1000)}]");
        else if (node.Items is { } items) List(text, random, n => Write(text, items, items.Root, random, isWhole, depth + 1), '[', ']');
        else if (node.Members is { } members)
        {
            List(text, random, n =>
            {
                Text(text, $"{Word(random)}{n}");
                text.Append(':');
                Write(text, members, members.Root, random, isWhole, depth + 1);
            }, '{', '}');
        }
        else if (node.TakesObject) Object(text, scope, node, random, isWhole, depth);
        else Any(text, random);
    }

    private static void List(StringBuilder text, Random random, Action<int> write, char open, char close)
    {
        text.Append(open);
        int count = random.Next(1, 4);
        for (int i = 0; i < count; i++)
        {
            if (i > 0) text.Append(',');
            write(i);
        }
        text.Append(close);
    }

    private static void Object(StringBuilder text, Scope scope, SourceNode node, Random random, bool isWhole, int depth)
    {
        text.Append('{');
        int count = 0;
        foreach (SourceNode child in node.Children.Values)
        {
            // Without the first part of a value the others would not find their place again.
            if (!isWhole && child.Rule?.Kind != PlanRuleKind.Join && random.Next(5) == 0) continue;
            if (count++ > 0) text.Append(',');
            Text(text, child.Name);
            text.Append(':');
            Write(text, scope, child, random, isWhole, depth + 1);
        }
        if (!scope.DropsUnknown && random.Next(2) == 0) text.Append(count > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"\"not in the map {random.Next(10)}\":[1.50,{{\"a\":null}}]");
        text.Append('}');
    }

    private static void Any(StringBuilder text, Random random)
    {
        if (random.Next(2) == 0) text.Append(CultureInfo.InvariantCulture, $"{random.Next(1000)}.{random.Next(10)}0");
        else Text(text, Word(random));
    }

    private static string Word(Random random)
    {
        Span<char> word = stackalloc char[random.Next(1, 8)];
        foreach (ref char c in word) c = (char)('a' + random.Next(26));
        return word.ToString();
    }

    private static void Text(StringBuilder text, string value) => text.Append('"').Append(JsonEncodedText.Encode(value).ToString()).Append('"');
}
