using LoadBalancer.Core.Policies;

namespace LoadBalancer.Scripting.Running;

/// <summary>The request that a call is about, and for onResponse its answer: what of the proxy a script can reach. One thread.</summary>
internal interface IScriptExchange
{
    string Method { get; set; }

    string Path { get; }

    string Query { get; }

    bool IsEncrypted { get; }

    string Listener { get; }

    string Route { get; }

    HeaderFields RequestFields { get; }

    IClientIdentity? Identity { get; }

    /// <summary>Address without port.</summary>
    string ClientAddress { get; }

    int ClientPort { get; }

    IReadOnlyList<string> PathVariables { get; }

    string? GetPathVariable(string name);

    void SetTarget(string path, string query);

    bool TryChooseCluster(string cluster);

    void AddLogField(string name, string value);

    ValueTask<ReadOnlyMemory<byte>?> ReadRequestBodyAsync(int bytesMax);

    void SetRequestBody(ReadOnlyMemory<byte> body);

    ValueTask<ClusterResponse> SendAsync(string cluster, ClusterRequest request);

    int Status { get; set; }

    HeaderFields ResponseFields { get; }

    bool IsFromCache { get; }

    ValueTask<ReadOnlyMemory<byte>?> ReadResponseBodyAsync(int bytesMax);

    void SetResponseBody(ReadOnlyMemory<byte> body);

    /// <summary>What onRequest has left for onResponse, as JSON.</summary>
    string? State { get; set; }
}
