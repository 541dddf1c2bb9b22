namespace LoadBalancer.Core.Configuration;

/// <summary>Reads the configuration anew from where it came, and has it applied: what an operator's "reload" does.</summary>
public interface IReloadHandler
{
    /// <summary>Reads, checks and applies it. Never throws for what is wrong with it: then nothing has changed, and the report says what is wrong.</summary>
    /// <param name="isDryRun">True to say only what would change.</param>
    /// <param name="who">Who asks, for the log.</param>
    /// <param name="cancellationToken">Gives up before anything is changed.</param>
    Task<ReloadReport> ReloadAsync(bool isDryRun, string who, CancellationToken cancellationToken);

    /// <summary>The last reload that was no dry run; null before the first.</summary>
    ReloadReport? Last { get; }
}

/// <summary>What came of a reload.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Source">Where the configuration came from: a file.</param>
/// <param name="Who">Who asked.</param>
/// <param name="IsDryRun">Whether it was only to be said what would change.</param>
/// <param name="Changes">What has changed, or would; empty where something is wrong.</param>
/// <param name="NeedRestart">Paths of changes that hold from the next start on only.</param>
/// <param name="Problems">What is wrong, each on a line: file, line and column, field, and what to do. Nothing has changed then.</param>
public sealed record ReloadReport(
    DateTimeOffset At, string Source, string Who, bool IsDryRun, IReadOnlyList<ConfigChange> Changes, IReadOnlyList<string> NeedRestart, IReadOnlyList<string> Problems)
{
    /// <summary>Whether it is in use, or could be.</summary>
    public bool IsGood => Problems.Count == 0;
}
