namespace LoadBalancer.Identity.Signatures;

/// <summary>What signatures must cover, and when they are good.</summary>
public sealed record SignatureOptions
{
    /// <summary>What must be covered: header fields in lower case, and "@method", "@authority", "@path", "@query", "@target-uri" (which covers the three before it), "@scheme", "@request-target".</summary>
    public IReadOnlyList<string> Components { get; init; } = ["@method", "@authority", "@path", "@query"];

    /// <summary>Whether a request with content must be signed with its Content-Digest, which is then compared. Default true.</summary>
    public bool RequiresDigest { get; init; } = true;

    /// <summary>Longest time since "created", which must be there. Default 5 min.</summary>
    public TimeSpan AgeMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>By how much clocks may differ. Default 30 s.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Nonces that are remembered; then each signature must have one, good once. 0 (default): none, and a signature may come again while it is good.</summary>
    public int NoncesMax { get; init; }

    /// <summary>How long a signature can be good at most.</summary>
    internal TimeSpan Lifetime => AgeMax + 2 * ClockSkew;
}
