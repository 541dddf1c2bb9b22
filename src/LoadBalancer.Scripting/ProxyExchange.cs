using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting;

/// <summary>A request of the proxy, and for onResponse its answer.</summary>
internal sealed class ProxyExchange(RequestContext request, ResponseContext? response) : IScriptExchange
{
    private ResponseContext Response => response ?? throw new InvalidOperationException("there is no answer yet");

    public string Method { get => request.Method; set => request.Method = value; }

    public string Path => request.PathText;

    public string Query => request.QueryText;

    public bool IsEncrypted => request.IsEncrypted;

    public string Listener => request.Listener;

    public string Route => request.Route;

    public HeaderFields RequestFields => request.Fields;

    public IClientIdentity? Identity => request.Identity;

    public string ClientAddress
    {
        get
        {
            Span<byte> text = stackalloc byte[64];
            return System.Text.Encoding.ASCII.GetString(text[..request.ClientAddress.FormatAddress(text)]);
        }
    }

    public int ClientPort => request.ClientAddress.Port;

    public IReadOnlyList<string> PathVariables => request.PathVariables;

    public string? GetPathVariable(string name) => request.GetPathVariable(name);

    public void SetTarget(string path, string query) => request.SetTarget(path, query);

    public bool TryChooseCluster(string cluster) => request.TryChooseCluster(cluster);

    public void AddLogField(string name, string value) => request.AddLogField(name, value);

    public ValueTask<ReadOnlyMemory<byte>?> ReadRequestBodyAsync(int bytesMax) => request.ReadBodyAsync(bytesMax);

    public void SetRequestBody(ReadOnlyMemory<byte> body) => request.SetBody(body);

    public ValueTask<ClusterResponse> SendAsync(string cluster, ClusterRequest toCluster) => request.SendAsync(cluster, toCluster);

    public int Status { get => Response.Status; set => Response.Status = value; }

    public HeaderFields ResponseFields => Response.Fields;

    public bool IsFromCache => Response.IsFromCache;

    public ValueTask<ReadOnlyMemory<byte>?> ReadResponseBodyAsync(int bytesMax) => Response.ReadBodyAsync(bytesMax);

    public void SetResponseBody(ReadOnlyMemory<byte> body) => Response.SetBody(body);

    public string? State { get => request.State as string; set => request.State = value; }
}
