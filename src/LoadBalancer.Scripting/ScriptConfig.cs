using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Loading;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadBalancer.Scripting;

/// <summary>A policy written in JavaScript: a module that exports <c>onRequest(request, context)</c>, <c>onResponse(response, context)</c>, or both.</summary>
public sealed record ScriptConfig : PolicyConfig
{
    internal static readonly DurationRange TimeoutRange = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10), ZeroAllowed: false);
    internal static readonly DurationRange DeadlineRange = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), ZeroAllowed: false);
    internal static readonly NumberRange MemoryRange = new(64 * 1024, 1L << 30);
    internal static readonly NumberRange StatementsRange = new(100, int.MaxValue);
    internal static readonly NumberRange RecursionRange = new(1, 10_000);
    internal static readonly NumberRange BodyRange = new(0, 1L << 28);
    internal static readonly NumberRange FetchesRange = new(0, 1000);
    internal static readonly NumberRange EnginesRange = new(1, 4096);
    internal static readonly NumberRange KeysRange = new(0, 1 << 24);
    internal static readonly NumberRange StoreRange = new(0, 1L << 34);

    /// <summary>The module's file. What it imports is in its folder.</summary>
    public string File { get; init; } = "";

    /// <summary>Time in which a call may run; what it waits for does not count. Default 50 ms.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Time from the beginning of a call to its end, with what it waits for. Default 10 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes that a call may allocate, garbage included. Default 16 MiB.</summary>
    public long Memory { get; init; } = 16 << 20;

    /// <summary>Statements that a call may execute. Default 1,000,000.</summary>
    public int StatementsMax { get; init; } = 1_000_000;

    /// <summary>Calls of one function within each other. Default 256.</summary>
    public int RecursionMax { get; init; } = 256;

    /// <summary>Longest body that a script reads or sets, in bytes. A longer one is refused with 413, or 502 where it is an answer's. Default 1 MiB.</summary>
    public int BodyBytesMax { get; init; } = 1 << 20;

    /// <summary>What becomes of a request whose script fails. Default: it is refused.</summary>
    public ScriptErrorAction OnError { get; init; } = ScriptErrorAction.Refuse;

    /// <summary>Constants for the script: <c>context.env</c>.</summary>
    public IReadOnlyDictionary<string, string> Env { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Clusters that the script may fetch from. Default none.</summary>
    public IReadOnlyList<string> Clusters { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Fetches of one call. Default 8.</summary>
    public int FetchesMax { get; init; } = 8;

    /// <summary>Time for one fetch. Default 5 s.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest body of a fetched answer, in bytes; a longer one is a failed fetch. Default 1 MiB.</summary>
    public int FetchBytesMax { get; init; } = 1 << 20;

    /// <summary>Most engines of a loop, which is how many calls of it may wait for something at once. Default 64.</summary>
    public int EnginesMax { get; init; } = 64;

    /// <summary>Whether each call has an engine of its own, so that not even module variables outlive it. Costs tens of microseconds. Default false.</summary>
    public bool Isolate { get; init; }

    /// <summary>Most keys of <c>kv</c>; beyond, the one that was not used for longest goes. Default 65,536.</summary>
    public int KvKeysMax { get; init; } = 65_536;

    /// <summary>Memory of <c>kv</c>, in bytes, about. Default 16 MiB.</summary>
    public long KvMemory { get; init; } = 16 << 20;

    /// <inheritdoc/>
    public override string Kind => "script";

    internal ScriptLimits Limits => new()
    {
        RunTimeMax = Timeout,
        Deadline = Deadline,
        AllocatedBytesMax = Memory,
        StatementsMax = StatementsMax,
        RecursionMax = RecursionMax,
        BodyBytesMax = BodyBytesMax,
        FetchesMax = FetchesMax,
        FetchTimeout = FetchTimeout,
        FetchBytesMax = FetchBytesMax,
        EnginesMax = EnginesMax,
    };

    /// <inheritdoc/>
    protected internal override PolicyConfig InDirectory(string directory) => File.Length == 0 ? this : this with { File = Path.Combine(directory, File) };

    /// <inheritdoc/>
    protected internal override void Validate(PolicyProblems problems)
    {
        problems.Range("timeout", Timeout, TimeoutRange);
        problems.Range("deadline", Deadline, DeadlineRange);
        problems.Range("memory", Memory, MemoryRange);
        problems.Range("statementsMax", StatementsMax, StatementsRange);
        problems.Range("recursionMax", RecursionMax, RecursionRange);
        problems.Range("bodyBytesMax", BodyBytesMax, BodyRange);
        problems.Range("fetchesMax", FetchesMax, FetchesRange);
        problems.Range("fetchTimeout", FetchTimeout, DeadlineRange);
        problems.Range("fetchBytesMax", FetchBytesMax, BodyRange);
        problems.Range("enginesMax", EnginesMax, EnginesRange);
        problems.Range("kvKeysMax", KvKeysMax, KeysRange);
        problems.Range("kvMemory", KvMemory, StoreRange);
        for (int i = 0; i < Clusters.Count; i++) problems.Cluster($"clusters[{i}]", Clusters[i]);
        if (File.Length == 0) problems.Add("file", "is missing; expected the name of a JavaScript module, \"gateway.js\"");
        else if (Problem() is { } problem) problems.Add("file", $"{File} {problem}");
    }

    /// <inheritdoc/>
    protected internal override IRoutePolicy Create(PolicyServices services) => new ScriptPolicy(this, services.Name, services.Time, services.Logger, services.LoopCount);

    // The top level of the modules is run, as it is when the policy is made.
    private string? Problem()
    {
        if (Timeout <= TimeSpan.Zero || Memory <= 0) return null; // said already
        var folder = new ScriptFolder(File);
        if (!ScriptProgram.TryReadFiles(folder, out SortedDictionary<string, byte[]> files, out string error)) return error;
        return ScriptSource.TryMake(CreateHost("", TimeProvider.System, NullLogger.Instance), folder, files, out error) is null ? error : null;
    }

    internal ScriptHost CreateHost(string name, TimeProvider time, Microsoft.Extensions.Logging.ILogger logger) => new()
    {
        Name = name,
        Limits = Limits,
        Time = time,
        Store = new KeyValueStore(KvKeysMax, KvMemory, time),
        Console = new ScriptConsole(name, logger, time),
        Env = Env,
        Clusters = Clusters.ToHashSet(StringComparer.Ordinal),
        IsIsolated = Isolate,
    };
}
