namespace LoadBalancer.Acme.Protocol;

/// <summary>What an authority says went wrong, in one line.</summary>
internal static class Problems
{
    /// <summary>What the types begin with (RFC 8555 §6.7).</summary>
    internal const string Prefix = "urn:ietf:params:acme:error:";

    private const int SubproblemsMax = 5;

    internal static string Describe(Problem problem)
    {
        string text = Line(problem);
        foreach (Problem part in (problem.Subproblems ?? []).Take(SubproblemsMax)) text += $"; {Line(part)}";
        return AcmeTransport.Short(text);
    }

    private static string Line(Problem problem)
    {
        string? type = problem.Type is { } text && text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : problem.Type;
        return string.Join(": ", new[] { type, problem.Detail }.Where(part => !string.IsNullOrEmpty(part)));
    }
}
