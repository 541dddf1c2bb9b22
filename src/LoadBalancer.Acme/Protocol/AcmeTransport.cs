using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Acme.Protocol;

/// <summary>An answer: all of it, as it is small.</summary>
internal sealed record AcmeAnswer(HttpStatusCode Status, byte[] Body, string? MediaType, string? Nonce, string? Location, TimeSpan? RetryAfter);

/// <summary>HTTP towards the authority: bounded in time and size, no redirects, https only. Thread-safe.</summary>
internal sealed class AcmeTransport : IDisposable
{
    /// <summary>Longest answer that is read: a chain of certificates is a few kilobytes.</summary>
    internal const int AnswerBytesMax = 256 * 1024;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30), RetryAfterMax = TimeSpan.FromDays(7);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    /// <param name="time">Of the time-outs.</param>
    /// <param name="roots">What the authority's server is verified by; null for the system's.</param>
    internal AcmeTransport(TimeProvider time, X509Certificate2Collection? roots)
    {
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // RFC 8555 knows of none, and what is signed names its URL
            UseCookies = false,
            MaxResponseHeadersLength = 32, // KiB
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30), // between orders lie weeks
        };
        if (roots is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = AnswerBytesMax };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LoadBalancer", typeof(AcmeTransport).Assembly.GetName().Version!.ToString(3))); // RFC 8555 §6.1
    }

    /// <exception cref="AcmeException">There is no answer, or one that is too large.</exception>
    internal async Task<AcmeAnswer> SendAsync(HttpMethod method, string url, byte[]? body, string? accept, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(RequestTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, timeout.Token);
        using var request = new HttpRequestMessage(method, Checked(url));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/jose+json"); // RFC 8555 §6.2
        }
        if (accept is not null) request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, either.Token).ConfigureAwait(false);
            return new AcmeAnswer(response.StatusCode, await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false), response.Content.Headers.ContentType?.MediaType,
                response.Headers.TryGetValues("Replay-Nonce", out IEnumerable<string>? nonces) ? nonces.First() : null, response.Headers.Location is { IsAbsoluteUri: true } location ? location.OriginalString : null,
                RetryAfter(response.Headers.RetryAfter));
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new AcmeException(AcmeFailure.Unreachable, $"{Host(url)} did not answer within {RequestTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new AcmeException(AcmeFailure.BadAnswer, $"{Host(url)} answered with more than is read: {Innermost(e)}", inner: e);
        }
        catch (HttpRequestException e)
        {
            throw new AcmeException(AcmeFailure.Unreachable, $"{Host(url)}: {Innermost(e)}", inner: e);
        }
    }

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? value)
    {
        TimeSpan? wait = value?.Delta ?? (value?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait is null ? null : wait < TimeSpan.Zero ? TimeSpan.Zero : wait > RetryAfterMax ? RetryAfterMax : wait;
    }

    // An authority tells us where to send what is signed: never to anything but https.
    private static Uri Checked(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps ? uri : throw new AcmeException(AcmeFailure.BadAnswer, $"the authority gave a URL that is no https URL: {Short(url)}");

    private static string Host(string url) => new Uri(url).Authority;

    private static string Innermost(Exception e)
    {
        while (e is HttpRequestException && e.InnerException is { } inner) e = inner;
        return Short(e is AuthenticationException ? $"its certificate is not trusted: {e.Message}" : e.Message);
    }

    /// <summary>Text of others in one line, and not without end.</summary>
    internal static string Short(string text)
    {
        const int LengthMax = 500;
        string line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return line.Length <= LengthMax ? line : line[..LengthMax] + "…";
    }

    public void Dispose() => _http.Dispose();
}
