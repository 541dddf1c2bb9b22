namespace LoadBalancer.Scripting.Running;

/// <summary>What one call of a script may use, and how many engines a loop has for them. Immutable.</summary>
internal sealed record ScriptLimits
{
    /// <summary>Time in which it runs; what it waits for others does not count.</summary>
    internal TimeSpan RunTimeMax { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Time from its beginning to its end, with what it waits for.</summary>
    internal TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes allocated, whether they are garbage since or not.</summary>
    internal long AllocatedBytesMax { get; init; } = 16 << 20;

    /// <summary>Statements executed.</summary>
    internal long StatementsMax { get; init; } = 1_000_000;

    /// <summary>Calls of one function within each other.</summary>
    internal int RecursionMax { get; init; } = 256;

    /// <summary>Longest body that is read or set.</summary>
    internal int BodyBytesMax { get; init; } = 1 << 20;

    /// <summary>Calls of fetch.</summary>
    internal int FetchesMax { get; init; } = 8;

    /// <summary>Time for one fetch.</summary>
    internal TimeSpan FetchTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest body of a fetched answer.</summary>
    internal int FetchBytesMax { get; init; } = 1 << 20;

    /// <summary>Engines of one loop, which is how many calls may wait for something at once.</summary>
    internal int EnginesMax { get; init; } = 64;

    /// <summary>Calls of one loop that may wait for an engine.</summary>
    internal int WaitingMax { get; init; } = 1024;

    /// <summary>What the top level of the modules may use, once for each engine.</summary>
    internal static ScriptLimits OfLoading { get; } = new() { RunTimeMax = TimeSpan.FromSeconds(1), AllocatedBytesMax = 64 << 20, StatementsMax = 10_000_000 };
}
