using LoadBalancer.Schemas.Patterns;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>minLength, maxLength: in characters, as RFC 8259 has them, so that one outside the basic plane is one.</summary>
internal sealed class LengthCheck(int min, int max, string location) : Check(KindSet.String)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        ReadOnlySpan<byte> text = run.Instance.TextOf(node);
        int bytes = text.Length;
        // Each character is one to four bytes: mostly that decides.
        if (bytes <= max && bytes + 3 >> 2 >= min) return true;
        int length = 0;
        foreach (byte c in text)
        {
            if ((c & 0xC0) != 0x80) length++;
        }
        if (length >= min && length <= max) return true;
        if (run.GoesOn)
        {
            bool isShort = length < min;
            run.Report(node, location + (isShort ? "/minLength" : "/maxLength"), $"has {length} characters; expected at {(isShort ? "least" : "most")} {(isShort ? min : max)}");
        }
        return false;
    }
}

/// <summary>pattern.</summary>
internal sealed class PatternCheck(EcmaPattern pattern, string rule) : Check(KindSet.String)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        if (pattern.IsMatch(ref run, run.Instance.TextOf(node))) return true;
        if (run.GoesOn) run.Report(node, rule, $"does not match {pattern.Source}");
        return false;
    }
}

/// <summary>format, where it is asserted.</summary>
internal sealed class FormatCheck(string format, FormatTest test, string rule) : Check(KindSet.String)
{
    internal override bool Evaluate(ref ValidationRun run, int node, int frame)
    {
        ReadOnlySpan<byte> text = run.Instance.TextOf(node);
        if (run.Spend(text.Length >> 6) && test(text)) return true;
        if (run.GoesOn) run.Report(node, rule, $"is no {format}");
        return false;
    }
}
