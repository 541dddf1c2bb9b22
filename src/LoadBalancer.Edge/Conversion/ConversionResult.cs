namespace LoadBalancer.Edge.Conversion;

/// <summary>What came of a configuration of another balancer.</summary>
/// <param name="Text">The configuration for lb, with comments; null where the file could not be read at all.</param>
/// <param name="Findings">What was left out, and what is not quite the same, in the order of the files. With <paramref name="Text"/> null, why it could not be read.</param>
/// <param name="HasPassword">Whether a password stands in the text, which is then for its owner alone.</param>
internal sealed record ConversionResult(string? Text, IReadOnlyList<ConversionFinding> Findings, bool HasPassword = false)
{
    internal static ConversionResult Unreadable(string file, int line, string message) => new(null, [new(file, line, message)]);
}

/// <summary>One place of the other configuration that somebody must look at.</summary>
/// <param name="File">As it was given, or included.</param>
/// <param name="Line">From 1; 0 for the file as a whole.</param>
/// <param name="Message">What it is about.</param>
internal sealed record ConversionFinding(string File, int Line, string Message)
{
    public override string ToString() => Line == 0 ? $"{File}: {Message}" : $"{File}:{Line}: {Message}";
}
