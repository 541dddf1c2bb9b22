using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Rehearsal;

/// <summary>
/// A configuration run in this process on loopback, with fake destinations: the production pipeline from the client's socket to the destination's. Listeners have no TLS here, and
/// know the client by a PROXY header; nothing that the configuration knows outside of this machine is asked, but what its policies fetch by URL.
/// </summary>
internal sealed class Stage : ICompletionObserver, IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, FakeDestination> _destinations = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<FakeRequest> _asked = new();
    private readonly Channel<RehearsedRecord> _records = Channel.CreateUnbounded<RehearsedRecord>();

    private Stage()
    {
    }

    internal ProxyServer Server { get; private set; } = null!;

    internal static async Task<Stage> StartAsync(ProxyConfig config, ILoggerFactory loggers, TimeProvider? time = null)
    {
        var stage = new Stage();
        try
        {
            foreach (string cluster in config.Clusters.Keys)
            {
                var destination = new FakeDestination(cluster, stage._asked.Enqueue, loggers.CreateLogger(cluster));
                await destination.StartAsync();
                stage._destinations[cluster] = destination;
            }
            stage.Server = new ProxyServer(stage.Rehearsed(config), loggers, stage, time) { RecordsVerdicts = true };
            await stage.Server.StartAsync();
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    // What matters for one request stays; what has a life of its own goes.
    private ProxyConfig Rehearsed(ProxyConfig config) => config with
    {
        Listeners = config.Listeners.Where(listener => listener.Value.Tcp is null).ToDictionary(listener => listener.Key, listener => listener.Value with
        {
            Address = "127.0.0.1:0", Tls = null, ProxyProtocol = new ProxyProtocolConfig { TrustedPeers = ["127.0.0.0/8"] },
        }),
        Clusters = config.Clusters.ToDictionary(cluster => cluster.Key, cluster => cluster.Value with
        {
            // A cluster whose destinations come from elsewhere has one here.
            Destinations = cluster.Value.Destinations.Count == 0
                ? new Dictionary<string, DestinationConfig> { ["fake"] = Fake(cluster.Key, new DestinationConfig { Address = "" }) }
                : cluster.Value.Destinations.ToDictionary(destination => destination.Key, destination => Fake(cluster.Key, destination.Value)),
            Discover = [], Registration = false, HealthCheck = null, Probe = null, Tls = null, Hedge = null, ProxyProtocol = ProxyProtocolVersion.Off,
        }),
        Limits = config.Limits.ToDictionary(limit => limit.Key, limit => limit.Value with { Shared = false }),
        Routes = config.Routes.ToDictionary(route => route.Key, route => route.Value with { Mirror = null }),
        Caches = config.Caches.ToDictionary(cache => cache.Key, cache => cache.Value with { Disk = null }),
        Redis = null, Acme = null, Admin = null, DrainTimeout = TimeSpan.FromSeconds(1),
        Transport = config.Transport with { Loops = 1 },
    };

    private DestinationConfig Fake(string cluster, DestinationConfig destination) => destination with { Address = _destinations[cluster].Address };

    /// <summary>What the destinations of a cluster answer from now on; none for "ok".</summary>
    internal void Answers(string cluster, IReadOnlyList<FakeAnswer> answers) => _destinations[cluster].Answers(answers);

    /// <summary>Sends a request, and waits for all that is to be known of it.</summary>
    /// <exception cref="HttpRequestException">There was no answer.</exception>
    internal async Task<RehearsedExchange> SendAsync(RehearsedRequest request, CancellationToken token)
    {
        _asked.Clear();
        EndPoint endPoint = request.Listener is { } listener ? Server.Endpoints[listener] : Server.Endpoints.Values.First();
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None, ConnectCallback = (_, connecting) => ConnectAsync(endPoint, request.From, connecting) };
        using var client = new HttpClient(handler) { Timeout = AnswerTimeout };
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), UrlOf(request.Url, endPoint)) { Version = HttpVersion.Version11 };
        if (request.Body is { } body) message.Content = new ByteArrayContent(body);
        foreach ((string name, string value) in request.Headers)
        {
            if (message.Headers.TryAddWithoutValidation(name, value)) continue;
            message.Content ??= new ByteArrayContent([]);
            message.Content.Headers.Remove(name);
            message.Content.Headers.TryAddWithoutValidation(name, value);
        }
        using HttpResponseMessage response = await client.SendAsync(message, token);
        byte[] content = await response.Content.ReadAsByteArrayAsync(token);
        RehearsedRecord record = await _records.Reader.ReadAsync(token);
        return new RehearsedExchange
        {
            Status = (int)response.StatusCode,
            Headers = [.. response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).SelectMany(field => field.Value.Select(value => new KeyValuePair<string, string>(field.Key, value)))],
            Body = content, Asked = [.. _asked], Record = record,
        };
    }

    // The path as it stands: what a rule makes of "/a/../b" is what a test wants to know.
    private static Uri UrlOf(string url, EndPoint endPoint)
    {
        if (url.StartsWith('/')) url = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{((IPEndPoint)endPoint).Port}{url}");
        else if (url.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) url = "http://" + url["https://".Length..]; // TLS ends before what is rehearsed
        return new Uri(url, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    private static async ValueTask<Stream> ConnectAsync(EndPoint endPoint, string from, CancellationToken token)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, token);
            IPAddress address = IPAddress.Parse(from);
            bool is6 = address.AddressFamily == AddressFamily.InterNetworkV6;
            await socket.SendAsync(Encoding.ASCII.GetBytes($"PROXY {(is6 ? "TCP6" : "TCP4")} {address} {(is6 ? "::1" : "127.0.0.1")} 40000 80\r\n"), token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void OnCompleted(CompletionRecord record) => _records.Writer.TryWrite(new RehearsedRecord(
        record.Route, record.Cluster, record.Destination, record.Reason, record.RefusedBy, record.Detail, record.Subject, [.. record.Verdicts ?? []], record.Cache));

    public async ValueTask DisposeAsync()
    {
        if (Server is not null) await Server.DisposeAsync();
        foreach (FakeDestination destination in _destinations.Values) await destination.DisposeAsync();
    }
}
