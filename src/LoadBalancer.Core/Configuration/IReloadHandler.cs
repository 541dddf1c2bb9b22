namespace LoadBalancer.Core.Configuration;

/// <summary>Reads the configuration anew from where it came, and has it applied: what an operator's "reload" does.</summary>
public interface IReloadHandler
{
    /// <summary>Reads, checks and applies it. Never throws for what is wrong with it: then nothing has changed, and the report says what is wrong.</summary>
    /// <param name="isDryRun">True to say only what would change.</param>
    /// <param name="who">Who asks, for the log and the events; null where nobody does, as when a file has changed.</param>
    /// <param name="cancellationToken">Gives up before anything is changed.</param>
    Task<ReloadReport> ReloadAsync(bool isDryRun, string? who, CancellationToken cancellationToken);
}

/// <summary>What came of a reload.</summary>
/// <param name="Source">Where the configuration came from: a file, a key of etcd.</param>
/// <param name="IsDryRun">Whether it was only to be said what would change.</param>
/// <param name="Changes">What has changed, or would, field by field, each on a line, without secrets; empty where something is wrong.</param>
/// <param name="NeedRestart">Paths of changes that hold from the next start on only.</param>
/// <param name="Problems">What is wrong, each on a line: file, line and column, field, and what to do. Nothing has changed then.</param>
public sealed record ReloadReport(string Source, bool IsDryRun, IReadOnlyList<string> Changes, IReadOnlyList<string> NeedRestart, IReadOnlyList<string> Problems)
{
    /// <summary>Whether it is in use, or could be.</summary>
    public bool IsGood => Problems.Count == 0;

    /// <summary>What does not go by it though it is in use, and why, each on a line: a service beside the server that could not follow, and is tried again with the next reload.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];
}
