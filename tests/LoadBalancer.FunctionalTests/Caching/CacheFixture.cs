using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Caching;

/// <summary>A balancer with a cache before one destination, whose every answer the test gives; time stands still unless it is moved.</summary>
public abstract class CacheFixture(TransportKind transport) : IAsyncDisposable
{
    protected const string Fresh = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2040 03:04:05 GMT\r\nCache-Control: max-age=60\r\nETag: \"v1\"\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst";
    protected const string Second = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2040 03:04:05 GMT\r\nCache-Control: max-age=60\r\nETag: \"v2\"\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecond";

    private readonly List<RawClient> _clients = [];
    private ProxyFixture? _proxy;

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2040, 1, 2, 3, 4, 5, TimeSpan.Zero));

    protected HeldOrigin Origin { get; } = new();

    protected ProxyFixture Proxy => _proxy!;

    protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    public async ValueTask DisposeAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        await Origin.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task StartAsync(RouteCacheConfig? cache = null, Func<ClusterConfig, ClusterConfig>? change = null, CacheConfig? store = null)
    {
        ProxyConfig config = ProxyFixture.Config(transport, Origin.Address);
        _proxy = await ProxyFixture.StartAsync(config with
        {
            Caches = new Dictionary<string, CacheConfig> { ["main"] = store ?? new() },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Cache = cache ?? new() } },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = (change ?? (c => c))(config.Clusters["app"] with { Ejection = new() { Enabled = false } }) },
        }, Time);
    }

    protected async Task<RawClient> ConnectAsync()
    {
        RawClient client = await Proxy.ConnectAsync(Token);
        _clients.Add(client);
        return client;
    }

    protected static string Get(string target, string lines = "") => $"GET {target} HTTP/1.1\r\nHost: h\r\n{lines}\r\n";

    protected static async Task<string> AskAsync(RawClient client, string request)
    {
        await client.SendAsync(request, Token);
        return await client.ReadResponseAsync(Token, request.StartsWith("HEAD", StringComparison.Ordinal));
    }

    /// <summary>A request for which the destination is asked, and gives that answer. Returns what it was asked, and what the client got.</summary>
    protected async Task<(string Forwarded, string Answer)> ForwardAsync(RawClient client, string request, string? answer)
    {
        Task<string> asking = AskAsync(client, request);
        string forwarded = await Origin.ArrivedAsync(Token);
        Origin.Answer(answer);
        return (forwarded, await asking);
    }

    /// <summary>What the record of the next request says of the cache.</summary>
    protected async Task<(CacheOutcome Cache, EndReason Reason, int Status)> RecordAsync()
    {
        Completion record = await Proxy.Completions.NextAsync(Token);
        return (record.Cache, record.Reason, record.Status);
    }

    protected static string BodyOf(string answer) => answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    /// <summary>Our Cache-Status, without the name of the field; empty for none.</summary>
    protected static string StatusOf(string answer) =>
        answer.Split("\r\n").FirstOrDefault(line => line.StartsWith("Cache-Status: ", StringComparison.Ordinal))?["Cache-Status: ".Length..] ?? "";
}
