namespace LoadBalancer.Admin;

/// <summary>Has another process take the work over, as after an upgrade of the program.</summary>
public interface IUpgradeHandler
{
    /// <summary>Starts it and waits until it serves. Never throws for what is wrong with it: then this process goes on.</summary>
    /// <param name="who">Who asks, for the log and the events.</param>
    Task<UpgradeReport> UpgradeAsync(string who);
}

/// <summary>What came of it.</summary>
/// <param name="ProcessId">Of the process that serves now; null where none does.</param>
/// <param name="Problem">Why this one goes on; null where another has taken over.</param>
public sealed record UpgradeReport(int? ProcessId, string? Problem)
{
    /// <summary>Version of what serves now; null where it has not said.</summary>
    public string? Version { get; init; }
}
