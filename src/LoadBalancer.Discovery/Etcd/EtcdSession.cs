using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Etcd;

/// <summary>One server of etcd, by the JSON that it speaks beside gRPC (/v3/, from etcd 3.4 on). Used by one task.</summary>
internal sealed class EtcdSession : IDisposable
{
    private const int KeysAtOnce = 1000, TokenBytesMax = 64 * 1024;

    private readonly ApiClient _client;
    private readonly EtcdAccess _access;
    private readonly EtcdBounds _bounds;
    private string? _token;

    /// <exception cref="ApiException">A file of the configuration cannot be used.</exception>
    internal EtcdSession(EtcdAccess access, int endpoint, EtcdBounds bounds, TimeProvider time)
    {
        (_access, _bounds) = (access, bounds);
        _client = new ApiClient(access.Endpoints[endpoint], access.Tls is { } tls ? ApiTls.Load(tls) : null, time);
    }

    /// <summary>Proves who we are, where the configuration says so. The token ends by itself; each session has its own.</summary>
    internal async Task AuthenticateAsync(CancellationToken token)
    {
        if (_access.User is not { } user) return;
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("name", user);
            json.WriteString("password", _access.Password);
            json.WriteEndObject();
        }
        using JsonDocument answer = JsonFields.Parse(await AskAsync("v3/auth/authenticate", body.ToArray(), TokenBytesMax, token).ConfigureAwait(false));
        _token = answer.RootElement.Text("token") ?? throw new ApiException("gave no token");
    }

    /// <summary>Reads a range of keys as it is at one revision, which is returned.</summary>
    internal async Task<long> ReadAsync(byte[] key, byte[]? end, Dictionary<string, byte[]?> keys, CancellationToken token)
    {
        long revision = 0;
        for (byte[] from = key; ;)
        {
            using JsonDocument answer = JsonFields.Parse(await AskAsync("v3/kv/range", Range("", from, end, $",\"limit\":\"{KeysAtOnce}\",\"revision\":\"{revision}\""), _bounds.AnswerBytesMax, token).ConfigureAwait(false));
            if (revision == 0) revision = answer.RootElement.Member("header")?.Number("revision") ?? throw new ApiException("answered without a revision; is it etcd 3.4 or later?");
            byte[]? last = null;
            foreach (JsonElement entry in answer.RootElement.Items("kvs"))
            {
                last = entry.Bytes("key") ?? throw new ApiException("answered with an entry without a key");
                if (keys.Count == _bounds.KeysMax) return revision; // the rest is left out; EtcdRange says so
                keys[Encoding.Latin1.GetString(last)] = ValueOf(entry);
            }
            if (last is null || end is null || answer.RootElement.Flag("more") != true) return revision;
            from = [.. last, 0]; // the next key that there can be
        }
    }

    /// <summary>Begins to tell what changes in a range from a revision on.</summary>
    internal async Task<JsonLines> WatchAsync(byte[] key, byte[]? end, long revision, CancellationToken token) =>
        await _client.WatchAsync(HttpMethod.Post, "v3/watch", Range("{\"create_request\":", key, end, $",\"start_revision\":\"{revision}\"", "}"), _token, _bounds.AnswerBytesMax, token).ConfigureAwait(false);

    /// <summary>The value of an entry, empty where it has none; null for one that is larger than is kept.</summary>
    internal byte[]? ValueOf(JsonElement entry)
    {
        byte[] value = entry.Bytes("value") ?? [];
        return value.Length <= _bounds.ValueBytesMax ? value : null;
    }

    private Task<byte[]> AskAsync(string path, byte[] body, int bytesMax, CancellationToken token) => _client.AskAsync(HttpMethod.Post, path, body, _token, bytesMax, token);

    private static byte[] Range(string before, byte[] key, byte[]? end, string more, string after = "") =>
        Encoding.ASCII.GetBytes($"{before}{{\"key\":\"{Convert.ToBase64String(key)}\"{(end is null ? "" : $",\"range_end\":\"{Convert.ToBase64String(end)}\"")}{more}}}{after}");

    public void Dispose() => _client.Dispose();
}
