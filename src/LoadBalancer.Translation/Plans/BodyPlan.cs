namespace LoadBalancer.Translation.Plans;

/// <summary>Turns documents of one version into those of the other. Immutable, any thread; what it needs while it runs is a <see cref="Documents.DocumentTranslator"/>.</summary>
public sealed class BodyPlan
{
    internal BodyPlan(Scope scope, bool isInPlace, bool passesUnconvertible)
    {
        Scope = scope;
        IsInPlace = isInPlace;
        PassesUnconvertible = passesUnconvertible;
    }

    /// <summary>
    /// All rules leave values in their objects: documents are translated while they are read, without a tree, and what no rule names keeps even its white space.
    /// </summary>
    public bool IsInPlace { get; }

    /// <summary>A value that cannot be converted goes on as it is; else the document is refused.</summary>
    public bool PassesUnconvertible { get; }

    internal Scope Scope { get; }
}
