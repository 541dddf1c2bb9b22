namespace LoadBalancer.Translation.Documents;

/// <summary>Bounds of what a translation takes and makes.</summary>
public sealed record TranslationLimits
{
    /// <summary>Bounds as they are when nobody says otherwise.</summary>
    public static TranslationLimits Default { get; } = new();

    /// <summary>Largest document, in bytes. Default 1 MiB.</summary>
    public int DocumentBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Largest document that is made, in bytes. Default 2 MiB: names and defaults make documents longer.</summary>
    public int OutputBytesMax { get; init; } = 2 * 1024 * 1024;

    /// <summary>Objects and arrays within one another, from 1 to 256. Default 64.</summary>
    public int DepthMax { get; init; } = 64;
}
