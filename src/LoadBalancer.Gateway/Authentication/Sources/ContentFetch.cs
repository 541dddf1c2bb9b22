using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Files;
using LoadBalancer.Redis;

namespace LoadBalancer.Gateway.Authentication.Sources;

/// <summary>Gets bytes from a file, a URL or Redis. What it throws says why not, as an operator says it.</summary>
internal sealed class ContentFetch : IAsyncDisposable
{
    private const int RedirectsMax = 3;
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(1);

    private readonly SourceConfig _config;
    private readonly int _bytesMax;
    private readonly TimeProvider _time;
    private readonly HttpClient? _http;
    private readonly RedisList? _redis;
    private byte[] _last = []; // only touched by the fetch under way

    internal ContentFetch(SourceConfig config, int bytesMax, RedisConfig? redis, TimeProvider time)
    {
        (_config, _bytesMax, _time) = (config, bytesMax, time);
        if (config.RedisKey is { } key) _redis = new RedisList(RedisConnection.OptionsOf(redis ?? throw new InvalidOperationException("the configuration has no \"redis\"")), key, bytesMax, time);
        if (!config.IsUrl) return;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // see FetchUrlAsync
            UseCookies = false,
            UseProxy = false, // what a variable of the environment says is nobody's to choose our keys by
            MaxResponseHeadersLength = 32, // KiB
            ConnectTimeout = config.Timeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // the name may be another address by then
        };
        if (config.Ca is { } ca)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(ca);
        }
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = bytesMax };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LoadBalancer", typeof(ContentFetch).Assembly.GetName().Version!.ToString(3)));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
    }

    /// <summary>Reads the file at once; null with what is wrong.</summary>
    internal byte[]? ReadNow(out string problem)
    {
        if (!WholeFile.TryRead(_config.From, _bytesMax, out byte[]? content, out problem)) return null;
        return _last = content;
    }

    internal Task<byte[]> FetchAsync(CancellationToken token) => _http is not null ? FetchUrlAsync(_http, token) : _redis is not null ? _redis.FetchAsync(token) : FetchFileAsync(token);

    // What has changed may still be being written: it is taken when it has stayed the same for a second.
    private async Task<byte[]> FetchFileAsync(CancellationToken token)
    {
        byte[] content = Read();
        while (!content.AsSpan().SequenceEqual(_last))
        {
            _last = content;
            await Task.Delay(SettlingTime, _time, token).ConfigureAwait(false);
            content = Read();
        }
        return content;
    }

    private byte[] Read() => WholeFile.TryRead(_config.From, _bytesMax, out byte[]? content, out string error) ? content : throw new IOException(error);

    private async Task<byte[]> FetchUrlAsync(HttpClient http, CancellationToken token)
    {
        var url = new Uri(_config.From);
        for (int redirects = 0; ; redirects++)
        {
            using HttpResponseMessage response = await SendAsync(http, url, token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.OK) return await ReadAsync(response, token).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
                throw new IOException($"answered with status {(int)response.StatusCode}");
            var target = new Uri(url, location);
            // Elsewhere is somebody else's word: who can have us sent there chooses the keys.
            if (target.Scheme != url.Scheme || target.Host != url.Host || target.Port != url.Port) throw new IOException("redirects to another host, port or scheme, which is not followed: name the place itself");
            if (redirects == RedirectsMax) throw new IOException($"redirects more than {RedirectsMax} times");
            url = target;
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, Uri url, CancellationToken token)
    {
        try
        {
            // Version 1.1: the head has come when this ends, the content is read under its own bound.
            return await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, token).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new IOException((e.InnerException ?? e).Message, e);
        }
    }

    private async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken token)
    {
        using Stream content = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
        using var read = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        for (int count; (count = await content.ReadAsync(buffer, token).ConfigureAwait(false)) > 0;)
        {
            read.Write(buffer, 0, count);
            if (read.Length > _bytesMax) throw new IOException($"is larger than {_bytesMax} bytes");
        }
        return read.ToArray();
    }

    public ValueTask DisposeAsync()
    {
        _http?.Dispose();
        return _redis?.DisposeAsync() ?? default;
    }
}
