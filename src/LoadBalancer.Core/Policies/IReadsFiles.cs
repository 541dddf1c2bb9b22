namespace LoadBalancer.Core.Policies;

/// <summary>A policy that has read files when it was made, and does not follow them: a reload makes it anew where they have changed.</summary>
internal interface IReadsFiles
{
    /// <summary>Whether the files still say what they said.</summary>
    bool IsUpToDate();
}
