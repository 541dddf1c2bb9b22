using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// What a certification authority is to find when it asks whether a name is ours: answers to HTTP-01 (RFC 8555 §8.3) on all listeners, certificates for TLS-ALPN-01
/// (RFC 8737) on those with TLS. Bounded; whoever adds removes. Thread-safe; while nothing is pending a request or a hand-shake pays one read.
/// </summary>
public sealed class PendingChallenges
{
    /// <summary>Most of each kind at once.</summary>
    public const int CountMax = 1000;

    internal const int TokenLengthMax = 256;

    private static readonly ImmutableDictionary<string, byte[]> NoHttp = ImmutableDictionary.Create<string, byte[]>(StringComparer.Ordinal);
    private static readonly ImmutableDictionary<string, SslServerAuthenticationOptions> NoTls = ImmutableDictionary.Create<string, SslServerAuthenticationOptions>(StringComparer.OrdinalIgnoreCase);

    private readonly Lock _changing = new();
    private ImmutableDictionary<string, byte[]> _http = NoHttp;
    private ImmutableDictionary<string, SslServerAuthenticationOptions> _tls = NoTls;

    internal PendingChallenges()
    {
    }

    /// <summary>Path under which answers to HTTP-01 stand.</summary>
    internal static ReadOnlySpan<byte> HttpPath => "/.well-known/acme-challenge/"u8;

    internal bool HasHttp => !ReferenceEquals(Volatile.Read(ref _http), NoHttp);

    internal bool HasTls => !ReferenceEquals(Volatile.Read(ref _tls), NoTls);

    /// <summary>Answers GET for /.well-known/acme-challenge/<paramref name="token"/>. False when there are too many.</summary>
    /// <exception cref="ArgumentException">The token has characters beyond those of base64url, or too many.</exception>
    public bool TryAddHttp(string token, byte[] answer)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(answer);
        if (token.Length is 0 or > TokenLengthMax || !token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) throw new ArgumentException("no token", nameof(token));
        lock (_changing)
        {
            if (_http.Count >= CountMax) return false;
            _http = _http.SetItem(token, answer);
            return true;
        }
    }

    /// <summary>Ends it.</summary>
    public void RemoveHttp(string token)
    {
        lock (_changing)
        {
            ImmutableDictionary<string, byte[]> left = _http.Remove(token);
            _http = left.IsEmpty ? NoHttp : left;
        }
    }

    /// <summary>Shows <paramref name="certificate"/> to who asks for a name by the protocol acme-tls/1. False when there are too many. It is not disposed of here.</summary>
    public bool TryAddTls(string name, X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(certificate);
        // Made once, here: a loop has no time for it, and anybody may ask.
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            ApplicationProtocols = [new SslApplicationProtocol("acme-tls/1")],
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, // RFC 8737 §4
            AllowRenegotiation = false,
        };
        lock (_changing)
        {
            if (_tls.Count >= CountMax) return false;
            _tls = _tls.SetItem(name, options);
            return true;
        }
    }

    /// <summary>Ends it.</summary>
    public void RemoveTls(string name)
    {
        lock (_changing)
        {
            ImmutableDictionary<string, SslServerAuthenticationOptions> left = _tls.Remove(name);
            _tls = left.IsEmpty ? NoTls : left;
        }
    }

    /// <summary>The answer for a whole path; null where none is pending.</summary>
    internal byte[]? FindHttp(ReadOnlySpan<byte> path) =>
        path.StartsWith(HttpPath) && path.Length - HttpPath.Length <= TokenLengthMax
        && Volatile.Read(ref _http).TryGetValue(System.Text.Encoding.Latin1.GetString(path[HttpPath.Length..]), out byte[]? answer) ? answer : null;

    /// <summary>What the hand-shake is made with that asks for a name; null where none is pending.</summary>
    internal SslServerAuthenticationOptions? FindTls(string name) => Volatile.Read(ref _tls).GetValueOrDefault(name);
}
