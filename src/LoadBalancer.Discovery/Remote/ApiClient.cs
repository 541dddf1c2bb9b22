using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace LoadBalancer.Discovery.Remote;

/// <summary>
/// HTTP towards one server of an API that answers in JSON: bounded in time and size, no redirects, no proxy, no cookies. Made anew for each session, so that certificates that
/// were replaced are the next session's. Used by one task.
/// </summary>
internal sealed class ApiClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5), AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly Uri _root;
    private readonly string? _host;
    private readonly TimeProvider _time;

    /// <param name="root">Scheme, host and port, perhaps with a path that ends in a slash.</param>
    /// <param name="tls">Null for the system's authorities, and for plain HTTP.</param>
    /// <param name="time">Of the time-outs.</param>
    internal ApiClient(Uri root, ApiTls? tls, TimeProvider time)
    {
        _root = root;
        _time = time;
        // The handler asks for the name in the Host field (SNI, and what the certificate must have).
        _host = tls?.ServerName is { } name ? string.Create(CultureInfo.InvariantCulture, $"{(name.Contains(':', StringComparison.Ordinal) ? $"[{name}]" : name)}:{root.Port}") : null;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // who can send us elsewhere would choose where requests go
            UseCookies = false,
            UseProxy = false,
            MaxResponseHeadersLength = 32, // KiB
            ConnectTimeout = ConnectTimeout,
            ConnectCallback = ConnectAsync,
        };
        if (tls is not null) handler.SslOptions = tls.Options();
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LoadBalancer", typeof(ApiClient).Assembly.GetName().Version!.ToString(3)));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>Asks and reads the whole answer.</summary>
    /// <exception cref="ApiException">There is none in time, or it is larger than <paramref name="bytesMax"/>, or its status is not 200.</exception>
    internal async Task<byte[]> AskAsync(HttpMethod method, string path, byte[]? json, string? authorization, int bytesMax, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(AnswerTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, timeout.Token);
        try
        {
            using HttpResponseMessage response = await SendAsync(method, path, json, authorization, either.Token).ConfigureAwait(false);
            using Stream content = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            return await ReadAsync(content, bytesMax, either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not ApiException && !token.IsCancellationRequested)
        {
            throw Problem(e);
        }
    }

    /// <summary>Asks for an answer without end: a JSON text on each line.</summary>
    /// <exception cref="ApiException">There is none in time, or its status is not 200.</exception>
    internal async Task<JsonLines> WatchAsync(HttpMethod method, string path, byte[]? json, string? authorization, int lineBytesMax, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(AnswerTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, timeout.Token);
        try
        {
            HttpResponseMessage response = await SendAsync(method, path, json, authorization, either.Token).ConfigureAwait(false);
            return new JsonLines(response, await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false), lineBytesMax);
        }
        catch (Exception e) when (e is not ApiException && !token.IsCancellationRequested)
        {
            throw Problem(e);
        }
    }

    /// <summary>What an exception of the client means to an operator.</summary>
    internal static ApiException Problem(Exception e)
    {
        Exception inner = e;
        while (inner is HttpRequestException or IOException && inner.InnerException is { } next) inner = next;
        return new ApiException(e switch
        {
            OperationCanceledException => $"does not answer within {AnswerTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s",
            _ when inner is AuthenticationException => ApiException.Short($"is not trusted: {inner.Message}"),
            _ => ApiException.Short(inner.Message),
        }, inner: e);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? json, string? authorization, CancellationToken token)
    {
        using var request = new HttpRequestMessage(method, new Uri(_root, path));
        if (_host is not null) request.Headers.Host = _host;
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization); // etcd's has no scheme
        if (json is not null)
        {
            request.Content = new ByteArrayContent(json);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.OK) return response;
        using (response)
        {
            const int ProblemBytesMax = 64 * 1024;
            byte[] body = await ReadAsync(await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false), ProblemBytesMax, token).ConfigureAwait(false);
            throw new ApiException($"answered with status {(int)response.StatusCode}{(JsonFields.MessageOf(body) is { } message ? $": {ApiException.Short(message)}" : "")}", (int)response.StatusCode);
        }
    }

    private static async Task<byte[]> ReadAsync(Stream content, int bytesMax, CancellationToken token)
    {
        using var read = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        for (int count; (count = await content.ReadAsync(buffer, token).ConfigureAwait(false)) > 0;)
        {
            if (read.Length + count > bytesMax) throw new ApiException($"answered with more than {bytesMax} bytes");
            read.Write(buffer, 0, count);
        }
        return read.ToArray();
    }

    // A watch says nothing as long as nothing changes: whether the other side is still there is for the kernel to find out.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken token)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15); // seconds
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();
}
