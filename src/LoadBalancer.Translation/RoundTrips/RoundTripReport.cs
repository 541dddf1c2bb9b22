using System.Text;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.RoundTrips;

/// <summary>Which document of an operation is meant.</summary>
public enum BodyUse : byte
{
    /// <summary>Of requests.</summary>
    Request,
    /// <summary>Of responses below 400.</summary>
    Response,
    /// <summary>Of responses from 400 on.</summary>
    Error,
}

/// <summary>What became of one document on its way to the other version and back.</summary>
public sealed record RoundTripReport
{
    /// <summary>The operation, by its v1 template.</summary>
    public required string Operation { get; init; }

    /// <summary>Which document it is.</summary>
    public required BodyUse Use { get; init; }

    /// <summary>Where it started.</summary>
    public required MapVersion Version { get; init; }

    /// <summary>The document.</summary>
    public required string Document { get; init; }

    /// <summary>What it is in the other version; null where it could not be translated.</summary>
    public string? Translated { get; init; }

    /// <summary>Why it could not be translated, there or back; null when it could.</summary>
    public TranslationProblem? Problem { get; init; }

    /// <summary>What is not as it was, declared losses too.</summary>
    public IReadOnlyList<RoundTripDifference> Differences { get; init; } = [];

    /// <summary>The document came back, but for what the map declares as lost.</summary>
    public bool IsIdentity => Problem is null && Differences.All(d => d.Declared is not null);

    /// <summary>Several lines: the problem or the differences, then the document in both versions.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        string other = Version == MapVersion.V1 ? "v2" : "v1", own = Version == MapVersion.V1 ? "v1" : "v2";
        text.Append(Operation).Append(", ").Append(Use switch { BodyUse.Request => "request", BodyUse.Response => "response", _ => "error" });
        text.Append(", ").Append(own).Append(" -> ").Append(other).Append(" -> ").Append(own).Append(": ").Append(IsIdentity ? "comes back" : "does not come back");
        if (Problem is not null) text.Append("\n  ").Append(Problem);
        foreach (RoundTripDifference difference in Differences) text.Append("\n  ").Append(difference);
        if (IsIdentity && Differences.Count == 0) return text.ToString();
        text.Append("\n  ").Append(own).Append(": ").Append(Document);
        if (Translated is not null) text.Append("\n  ").Append(other).Append(": ").Append(Translated);
        return text.ToString();
    }
}

/// <summary>A value that did not come back.</summary>
/// <param name="Pointer">Where, as a JSON pointer.</param>
/// <param name="Before">JSON of the value; null: it was not there.</param>
/// <param name="After">JSON of what came back; null: nothing did.</param>
/// <param name="Declared">The rule that declares it as lossy, or that has a default for it; null: nobody said so.</param>
public sealed record RoundTripDifference(string Pointer, string? Before, string? After, string? Declared)
{
    private const int ShownMax = 80;

    /// <inheritdoc/>
    public override string ToString() => $"{(Pointer.Length == 0 ? "the document" : Pointer)}: {Show(Before)} came back as {Show(After)}{(Declared is null ? "" : $" (declared by {Declared})")}";

    private static string Show(string? json) => json is null ? "nothing" : json.Length > ShownMax ? json[..ShownMax] + "…" : json;
}
