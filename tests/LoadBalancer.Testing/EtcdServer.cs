using System.Net.Http.Headers;
using System.Text;

namespace LoadBalancer.Testing;

/// <summary>A real etcd of one member, with a folder that goes with it.</summary>
public sealed class EtcdServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-etcd-").FullName;
    private readonly int _peerPort = SystemProgram.FreePort();
    private readonly string[] _more;
    private readonly string _scheme;
    private readonly HttpClient _http;
    private RunningProgram? _program;

    /// <param name="certificate">PEM with certificate and key, to speak TLS with; null for plain HTTP.</param>
    public EtcdServer(string? certificate = null)
    {
        _scheme = certificate is null ? "http" : "https";
        _more = certificate is null ? [] : ["--cert-file", certificate, "--key-file", certificate];
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null } });
    }

    public int Port { get; } = SystemProgram.FreePort();

    public string Address => $"127.0.0.1:{Port}";

    public async Task StartAsync(CancellationToken token)
    {
        string etcd = SystemProgram.Require("etcd"), client = $"{_scheme}://{Address}", peer = $"http://127.0.0.1:{_peerPort}";
        _program = await SystemProgram.StartAsync(etcd, Port, token, ["--data-dir", $"{_folder}/data", "--name", "one", "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", $"one={peer}", "--unsafe-no-fsync", "--log-level", "error", .. _more]);
    }

    public async Task StopAsync()
    {
        if (_program is not null) await _program.DisposeAsync();
        _program = null;
    }

    public Task PutAsync(string key, string value, CancellationToken token) => PostAsync("kv/put", $"{{\"key\":\"{Base64(key)}\",\"value\":\"{Base64(value)}\"}}", token);

    public Task DeleteAsync(string key, CancellationToken token) => PostAsync("kv/deleterange", $"{{\"key\":\"{Base64(key)}\"}}", token);

    public async Task PostAsync(string path, string json, CancellationToken token)
    {
        using var content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using HttpResponseMessage response = await _http.PostAsync(new Uri($"{_scheme}://{Address}/v3/{path}"), content, token);
        string text = await response.Content.ReadAsStringAsync(token);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {text}");
    }

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
