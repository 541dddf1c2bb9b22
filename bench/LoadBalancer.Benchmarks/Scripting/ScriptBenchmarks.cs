using BenchmarkDotNet.Attributes;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Loading;
using LoadBalancer.Scripting.Objects;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadBalancer.Benchmarks.Scripting;

/// <summary>What a call of a script costs, from taking an engine to putting it back.</summary>
[MemoryDiagnoser]
public class ScriptBenchmarks
{
    private const string TenLines = """
        const prefix = "/api/";
        export function onRequest(request, context) {
            const path = request.path;
            if (!path.startsWith(prefix)) return new Response("no", { status: 404 });
            const version = request.headers.get("X-Version") ?? "1";
            const parts = path.split("/");
            request.headers.set("X-Resource", parts[2]);
            if (version === "2") {
                context.cluster = "api";
            }
            context.log.set("version", version);
        }
        """;

    private const string Nothing = "export function onRequest() {}";
    private const string Async = "export async function onRequest(request) { await null; return undefined }";
    private const string Loop = "export function onRequest() { let sum = 0; for (let i = 0; i < 1000; i++) { sum += i; } }";

    private readonly BenchExchange _exchange = new();
    private EnginePool _pool = null!;
    private ScriptProgram _program = null!;

    [Params("nothing", "ten lines", "async", "1000 turns of a loop")]
    public string Script { get; set; } = "";

    [Params(false, true)]
    public bool Isolate { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        string source = Script switch { "nothing" => Nothing, "ten lines" => TenLines, "async" => Async, _ => Loop };
        var host = new ScriptHost
        {
            Name = "bench",
            Limits = new ScriptLimits(),
            Time = TimeProvider.System,
            Store = new KeyValueStore(1024, 1 << 20, TimeProvider.System),
            Console = new ScriptConsole("bench", NullLogger.Instance, TimeProvider.System),
            IsIsolated = Isolate,
        };
        _program = ScriptProgram.Parse("gateway.js", new Dictionary<string, byte[]> { ["gateway.js"] = System.Text.Encoding.UTF8.GetBytes(source) }, TimeSpan.FromMilliseconds(50), isSealed: !Isolate);
        _pool = new EnginePool(host, e => throw e);
    }

    [Benchmark]
    public bool Call()
    {
        // As a new request: what scripts set is kept till its end.
        _exchange.RequestFields.Clear();
        _exchange.RequestFields.Set("X-Version"u8, "2"u8);
        ScriptEngine engine = _pool.TryTake(_program)!;
        var call = new ScriptCall(engine, _exchange, isResponse: false) { Released = _pool.Release };
        var request = new RequestObject(call);
        call.Context = new ContextObject(call, request);
        ValueTask<ScriptOutcome> running = call.Run(engine.OnRequest!, request, call.Context);
        ScriptOutcome outcome = running.IsCompleted ? running.GetAwaiter().GetResult() : throw new InvalidOperationException("the script waits");
        call.Close();
        return outcome.Error is null ? true : throw new InvalidOperationException(outcome.Error.Message);
    }

    /// <summary>What making an engine ahead costs, on the thread pool.</summary>
    [Benchmark]
    public object Engine() => new ScriptEngine(_program, Host);

    private ScriptHost Host => _pool.Host;

    private sealed class BenchExchange : IScriptExchange
    {
        public string Method { get; set; } = "GET";
        public string Path { get; private set; } = "/api/users/1";
        public string Query { get; private set; } = "";
        public bool IsEncrypted => false;
        public string Listener => "web";
        public string Route => "api";
        public HeaderFields RequestFields { get; } = new();
        public IClientIdentity? Identity => null;
        public string ClientAddress => "192.0.2.1";
        public int ClientPort => 1;
        public IReadOnlyList<string> PathVariables => [];
        public string? GetPathVariable(string name) => null;
        public void SetTarget(string path, string query) => (Path, Query) = (path, query);
        public bool TryChooseCluster(string cluster) => true;
        public void AddLogField(string name, string value) { }
        public ValueTask<ReadOnlyMemory<byte>?> ReadRequestBodyAsync(int bytesMax) => default;
        public void SetRequestBody(ReadOnlyMemory<byte> body) { }
        public ValueTask<ClusterResponse> SendAsync(string cluster, ClusterRequest request) => default;
        public int Status { get; set; } = 200;
        public HeaderFields ResponseFields { get; } = new();
        public bool IsFromCache => false;
        public ValueTask<ReadOnlyMemory<byte>?> ReadResponseBodyAsync(int bytesMax) => default;
        public void SetResponseBody(ReadOnlyMemory<byte> body) { }
        public string? State { get; set; }
    }
}
