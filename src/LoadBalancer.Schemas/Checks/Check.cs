using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Checks;

/// <summary>One keyword, or several that look at the same thing. Immutable; any thread.</summary>
internal abstract class Check(KindSet kinds)
{
    /// <summary>Instances of other types are valid, and are not shown to it.</summary>
    internal KindSet Kinds { get; } = kinds;

    /// <inheritdoc cref="SchemaNode.Evaluate"/>
    internal abstract bool Evaluate(ref ValidationRun run, int node, int frame);

    // Names of properties come from the client: they are shown, but not at any length.
    internal static string Shown(ReadOnlySpan<byte> utf8) => $"\"{Requests.ShownText.Of(utf8)}\"";
}
