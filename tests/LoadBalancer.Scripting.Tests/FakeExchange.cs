using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Tests;

/// <summary>A request that nobody has sent.</summary>
internal sealed class FakeExchange : IScriptExchange
{
    internal Dictionary<string, string> LogFields { get; } = [];

    internal byte[]? RequestBody { get; set; } = [];

    internal byte[]? ResponseBody { get; set; } = [];

    internal string? Cluster { get; private set; }

    internal List<(string Cluster, ClusterRequest Request)> Sent { get; } = [];

    internal Func<string, ClusterRequest, ValueTask<ClusterResponse>> Answer { get; set; } = (_, _) => new(new ClusterResponse(200, new HeaderFields(), "fetched"u8.ToArray()));

    internal TaskCompletionSource<ReadOnlyMemory<byte>?>? HeldBody { get; set; }

    internal Dictionary<string, string> Variables { get; } = [];

    internal static ClusterResponse Response(int status, string body, params (string, string)[] fields)
    {
        var headers = new HeaderFields();
        foreach ((string name, string value) in fields) headers.Append(name, value);
        return new ClusterResponse(status, headers, Encoding.UTF8.GetBytes(body));
    }

    public string Method { get; set; } = "GET";

    public string Path { get; set; } = "/";

    public string Query { get; set; } = "";

    public bool IsEncrypted { get; set; }

    public string Listener => "web";

    public string Route => "api";

    public HeaderFields RequestFields { get; } = new();

    public IClientIdentity? Identity { get; set; }

    public string ClientAddress => "192.0.2.7";

    public int ClientPort => 4711;

    public IReadOnlyList<string> PathVariables => [.. Variables.Keys];

    public string? GetPathVariable(string name) => Variables.GetValueOrDefault(name);

    public void SetTarget(string path, string query)
    {
        if (!path.StartsWith('/')) throw new ArgumentException("that is no path", nameof(path));
        (Path, Query) = (path, query);
    }

    public bool TryChooseCluster(string cluster)
    {
        if (cluster is not ("api" or "other")) return false;
        Cluster = cluster;
        return true;
    }

    public void AddLogField(string name, string value) => LogFields[name] = value;

    public ValueTask<ReadOnlyMemory<byte>?> ReadRequestBodyAsync(int bytesMax) =>
        HeldBody is { } held ? new(held.Task) : new(RequestBody is { } body && body.Length <= bytesMax ? body : (ReadOnlyMemory<byte>?)null);

    public void SetRequestBody(ReadOnlyMemory<byte> body) => RequestBody = body.ToArray();

    public ValueTask<ClusterResponse> SendAsync(string cluster, ClusterRequest request)
    {
        Sent.Add((cluster, request));
        return Answer(cluster, request);
    }

    public int Status { get; set; } = 200;

    public HeaderFields ResponseFields { get; } = new();

    public bool IsFromCache { get; set; }

    public ValueTask<ReadOnlyMemory<byte>?> ReadResponseBodyAsync(int bytesMax) => new(ResponseBody is { } body ? body : (ReadOnlyMemory<byte>?)null);

    public void SetResponseBody(ReadOnlyMemory<byte> body) => ResponseBody = body.ToArray();

    public string? State { get; set; }
}
