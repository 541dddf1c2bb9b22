using LoadBalancer.Hosting.Configuration.Specs;
using LoadBalancer.Scripting;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="ScriptConfig"/>.</summary>
internal static class ScriptSpecs
{
    internal static readonly ObjectSpec<ScriptConfig> Script = new(
        "script", "A JavaScript module that exports onRequest(request, context), onResponse(response, context), or both; \"lb types\" has the types. A plain string is its \"file\".", () => new ScriptConfig(),
        new FieldSpec<ScriptConfig, string>("file", "The module's file. What it imports is in its folder. Looked at every 10 s: what has changed is used from then on, all files together.",
            new TextSpec(examples: ["gateway.js"]), c => c.File, (c, v) => c with { File = v }) { OtherNames = ["path", "source", "jsImport", "inlineCode", "filename"] },
        new FieldSpec<ScriptConfig, TimeSpan>("timeout", "Time in which a call may run; what it waits for does not count.",
            new DurationSpec(ScriptConfig.TimeoutRange), c => c.Timeout, (c, v) => c with { Timeout = v }) { OtherNames = ["cpuTime", "cpuMs", "timeLimit"] },
        new FieldSpec<ScriptConfig, TimeSpan>("deadline", "Time from the beginning of a call to its end, with what it waits for.",
            new DurationSpec(ScriptConfig.DeadlineRange), c => c.Deadline, (c, v) => c with { Deadline = v }) { OtherNames = ["totalTimeout"] },
        new FieldSpec<ScriptConfig, long>("memory", "What a call may allocate, garbage included.",
            new SizeSpec(ScriptConfig.MemoryRange), c => c.Memory, (c, v) => c with { Memory = v }) { OtherNames = ["memoryMax", "memoryLimit", "maxMemory", "heapLimit"] },
        new FieldSpec<ScriptConfig, int>("statementsMax", "Statements that a call may execute.",
            new CountSpec(ScriptConfig.StatementsRange), c => c.StatementsMax, (c, v) => c with { StatementsMax = v }) { OtherNames = ["maxStatements", "instructionLimit", "fuel"] },
        new FieldSpec<ScriptConfig, int>("recursionMax", "Calls of one function within each other.",
            new CountSpec(ScriptConfig.RecursionRange), c => c.RecursionMax, (c, v) => c with { RecursionMax = v }) { OtherNames = ["maxRecursion", "stackDepth"] },
        new FieldSpec<ScriptConfig, int>("bodyBytesMax", "Longest body that a script reads or sets. A longer request is refused with 413; a longer answer becomes a 502.",
            new SmallSizeSpec(ScriptConfig.BodyRange), c => c.BodyBytesMax, (c, v) => c with { BodyBytesMax = v }) { OtherNames = ["maxBody", "clientBodyBufferSize", "maxRequestBytes"] },
        new FieldSpec<ScriptConfig, ScriptErrorAction>("onError", "What becomes of a request whose script fails or uses too much: \"refuse\" it (500; 502 for onResponse), or \"continue\" with what was done until then.",
            new ChoiceSpec<ScriptErrorAction>(("refuse", ScriptErrorAction.Refuse), ("continue", ScriptErrorAction.Continue)), c => c.OnError, (c, v) => c with { OnError = v }) { OtherNames = ["failOpen", "failureMode", "failureModeAllow"] },
        new FieldSpec<ScriptConfig, IReadOnlyDictionary<string, string>>("env", "Constants for the script: context.env.",
            new MapSpec<string>(new TextSpec(), () => ""), c => c.Env, (c, v) => c with { Env = v }) { Secrecy = Secrecy.All, OtherNames = ["vars", "environment", "bindings"] },
        new FieldSpec<ScriptConfig, IReadOnlyList<string>>("clusters", "Clusters that the script may fetch from, as in fetch(\"cluster:auth/check\"). Empty: none.",
            new TextListSpec(new TextSpec()), c => c.Clusters, (c, v) => c with { Clusters = v }) { OtherNames = ["upstreams", "services", "allowedClusters"] },
        new FieldSpec<ScriptConfig, int>("fetchesMax", "Fetches of one call.",
            new CountSpec(ScriptConfig.FetchesRange), c => c.FetchesMax, (c, v) => c with { FetchesMax = v }) { OtherNames = ["maxFetches", "subrequests"] },
        new FieldSpec<ScriptConfig, TimeSpan>("fetchTimeout", "Time for one fetch.",
            new DurationSpec(ScriptConfig.DeadlineRange), c => c.FetchTimeout, (c, v) => c with { FetchTimeout = v }) { OtherNames = ["jsFetchTimeout"] },
        new FieldSpec<ScriptConfig, int>("fetchBytesMax", "Longest body of a fetched answer; with a longer one the fetch fails.",
            new SmallSizeSpec(ScriptConfig.BodyRange), c => c.FetchBytesMax, (c, v) => c with { FetchBytesMax = v }) { OtherNames = ["jsFetchMaxResponseBufferSize", "subrequestOutputBufferSize"] },
        new FieldSpec<ScriptConfig, int>("enginesMax", "Most engines of a loop: how many calls of it may wait for something at once. Further ones wait for an engine; beyond 1,024 of them, 503.",
            new CountSpec(ScriptConfig.EnginesRange), c => c.EnginesMax, (c, v) => c with { EnginesMax = v }) { OtherNames = ["poolSize", "jsContextReuse", "vms"] },
        new FieldSpec<ScriptConfig, bool>("isolate", "Whether each call has an engine of its own, so that not even variables of modules outlive it. Costs tens of microseconds a call.",
            new FlagSpec(), c => c.Isolate, (c, v) => c with { Isolate = v }) { OtherNames = ["isolation"] },
        new FieldSpec<ScriptConfig, int>("kvKeysMax", "Most keys of kv; beyond, the one that was not used for longest goes.",
            new CountSpec(ScriptConfig.KeysRange), c => c.KvKeysMax, (c, v) => c with { KvKeysMax = v }) { OtherNames = ["sharedDict", "jsSharedDictZone"] },
        new FieldSpec<ScriptConfig, long>("kvMemory", "Memory of kv.",
            new SizeSpec(ScriptConfig.StoreRange), c => c.KvMemory, (c, v) => c with { KvMemory = v }) { OtherNames = ["sharedDictSize"] })
    {
        FromText = text => new ScriptConfig { File = text },
    };
}
