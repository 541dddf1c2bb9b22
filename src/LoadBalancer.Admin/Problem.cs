using LoadBalancer.Core.Http1;

namespace LoadBalancer.Admin;

/// <summary>A refusal as RFC 9457 has it; its type is "about:blank", so it is left out.</summary>
internal sealed record Problem(string Title, int Status, string Detail, IReadOnlyList<FieldProblem>? Problems)
{
    internal static string TitleOf(int status) => Responses.ReasonPhrase(status);
}

/// <summary>What is wrong with one field of a body, and what was expected.</summary>
internal sealed record FieldProblem(string Field, string Detail);
