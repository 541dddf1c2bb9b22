using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Acme.Protocol;

/// <summary>The requests of RFC 8555, each signed by the account's key. Thread-safe once there is an account.</summary>
internal sealed class AcmeClient(AcmeTransport transport, string directoryUrl, AccountKey key)
{
    private const int NoncesMax = 16;
    // Authorities refuse good nonces now and then (a server of several, restarted): each refusal brings a new one.
    private const int NonceTriesMax = 8;

    private readonly ConcurrentQueue<string> _nonces = new();
    private volatile AcmeDirectory? _directory;

    internal AccountKey Key => key;

    /// <summary>URL of the account; null before <see cref="OpenAccountAsync"/> where none was kept.</summary>
    internal string? AccountUrl { get; set; }

    /// <summary>Makes the account, or finds the one that this key has.</summary>
    /// <exception cref="AcmeException"/>
    internal async Task OpenAccountAsync(IReadOnlyList<string> contact, ExternalAccountConfig? external, CancellationToken token)
    {
        AcmeDirectory directory = await DirectoryAsync(token).ConfigureAwait(false);
        if (directory.Meta?.ExternalAccountRequired == true && external is null)
            throw new AcmeException(AcmeFailure.ExternalAccountRequired, "the authority gives accounts only to its customers: set \"acme\": { \"externalAccount\": { \"keyId\", \"macKey\" } }");
        SignedMessage? binding = external is null ? null : key.Bind(external.KeyId, Base64Url.DecodeFromChars(external.MacKey), directory.NewAccount!);
        var request = new AccountRequest(true, contact.Count == 0 ? null : Urls(contact), binding);
        AccountUrl = null;
        AcmeAnswer answer;
        try
        {
            answer = await PostAsync(directory.NewAccount!, Bytes(request, AcmeJson.Default.AccountRequest), token).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.Failure == AcmeFailure.Refused)
        {
            throw new AcmeException(AcmeFailure.AccountRefused, $"no account: {e.Message}", e.RetryAfter, e.ProblemType, e);
        }
        string? status = Read(answer, AcmeJson.Default.Account).Status;
        if (status != "valid") throw new AcmeException(AcmeFailure.AccountRefused, $"the account is {AcmeTransport.Short(status ?? "without a status")}");
        AccountUrl = answer.Location ?? throw new AcmeException(AcmeFailure.BadAnswer, "the authority gave an account without its URL");
    }

    /// <summary>Changes whom the authority may write to.</summary>
    /// <exception cref="AcmeException"/>
    internal Task UpdateAccountAsync(IReadOnlyList<string> contact, CancellationToken token) =>
        PostAsync(AccountUrl!, Bytes(new AccountUpdate(Urls(contact)), AcmeJson.Default.AccountUpdate), token);

    private static string[] Urls(IReadOnlyList<string> contact) => [.. contact.Select(address => $"mailto:{address}")];

    /// <exception cref="AcmeException"/>
    internal async Task<(string Url, Order Order)> NewOrderAsync(string name, CancellationToken token)
    {
        _directory = null; // the last order was weeks ago: URLs may have changed
        AcmeDirectory directory = await DirectoryAsync(token).ConfigureAwait(false);
        AcmeAnswer answer = await PostAsync(directory.NewOrder!, Bytes(new OrderRequest([new Identifier("dns", name)]), AcmeJson.Default.OrderRequest), token).ConfigureAwait(false);
        return (answer.Location ?? throw new AcmeException(AcmeFailure.BadAnswer, "the authority gave an order without its URL"), Read(answer, AcmeJson.Default.Order));
    }

    /// <exception cref="AcmeException"/>
    internal Task<(Order Value, TimeSpan? RetryAfter)> ReadOrderAsync(string url, CancellationToken token) => ReadAsync(url, AcmeJson.Default.Order, token);

    /// <exception cref="AcmeException"/>
    internal Task<(Authorization Value, TimeSpan? RetryAfter)> ReadAuthorizationAsync(string url, CancellationToken token) => ReadAsync(url, AcmeJson.Default.Authorization, token);

    /// <summary>Says that the answer to a challenge can be looked for.</summary>
    /// <exception cref="AcmeException"/>
    internal Task AcceptAsync(string challengeUrl, CancellationToken token) => PostAsync(challengeUrl, Bytes(new Empty(), AcmeJson.Default.Empty), token);

    /// <exception cref="AcmeException"/>
    internal Task FinalizeAsync(string url, byte[] request, CancellationToken token) =>
        PostAsync(url, Bytes(new FinalizeRequest(Base64Url.EncodeToString(request)), AcmeJson.Default.FinalizeRequest), token);

    /// <summary>The certificate and its chain in PEM.</summary>
    /// <exception cref="AcmeException"/>
    internal async Task<string> DownloadAsync(string url, CancellationToken token) =>
        Encoding.UTF8.GetString((await PostAsync(url, [], token, "application/pem-certificate-chain").ConfigureAwait(false)).Body);

    private async Task<(T Value, TimeSpan? RetryAfter)> ReadAsync<T>(string url, JsonTypeInfo<T> type, CancellationToken token) where T : class
    {
        AcmeAnswer answer = await PostAsync(url, [], token).ConfigureAwait(false);
        return (Read(answer, type), answer.RetryAfter);
    }

    private async Task<AcmeDirectory> DirectoryAsync(CancellationToken token)
    {
        if (_directory is { } known) return known;
        AcmeAnswer answer = await transport.SendAsync(HttpMethod.Get, directoryUrl, null, null, token).ConfigureAwait(false);
        if (answer.Status != HttpStatusCode.OK) throw Refusal(answer, directoryUrl);
        AcmeDirectory directory = Read(answer, AcmeJson.Default.AcmeDirectory);
        if (directory.NewNonce is null || directory.NewAccount is null || directory.NewOrder is null) throw new AcmeException(AcmeFailure.BadAnswer, $"{directoryUrl} is no ACME directory");
        return _directory = directory;
    }

    // RFC 8555 §6.2, §6.3 and §6.5.
    private async Task<AcmeAnswer> PostAsync(string url, byte[] payload, CancellationToken token, string? accept = null)
    {
        for (int tries = 1; ; tries++)
        {
            string nonce = await NonceAsync(token).ConfigureAwait(false);
            byte[] body = Bytes(key.Sign(url, nonce, AccountUrl, payload), AcmeJson.Default.SignedMessage);
            AcmeAnswer answer = await transport.SendAsync(HttpMethod.Post, url, body, accept, token).ConfigureAwait(false);
            if (answer.Nonce is { Length: > 0 and <= 512 } next && Base64Url.IsValid(next) && _nonces.Count < NoncesMax) _nonces.Enqueue(next);
            if ((int)answer.Status is >= 200 and < 300) return answer;
            AcmeException refusal = Refusal(answer, url);
            if (refusal.ProblemType != "badNonce" || tries == NonceTriesMax) throw refusal;
        }
    }

    private async Task<string> NonceAsync(CancellationToken token)
    {
        if (_nonces.TryDequeue(out string? nonce)) return nonce;
        AcmeDirectory directory = await DirectoryAsync(token).ConfigureAwait(false);
        AcmeAnswer answer = await transport.SendAsync(HttpMethod.Head, directory.NewNonce!, null, null, token).ConfigureAwait(false);
        if ((int)answer.Status is < 200 or >= 300) throw Refusal(answer, directory.NewNonce!);
        return answer.Nonce ?? throw new AcmeException(AcmeFailure.BadAnswer, "the authority gives no nonce");
    }

    private static AcmeException Refusal(AcmeAnswer answer, string url)
    {
        Problem? problem = null;
        if (answer.MediaType == "application/problem+json")
            try
            {
                problem = JsonSerializer.Deserialize(answer.Body, AcmeJson.Default.Problem);
            }
            catch (JsonException)
            {
                // The status says enough.
            }
        string? type = problem?.Type is { } text && text.StartsWith(Problems.Prefix, StringComparison.Ordinal) ? text[Problems.Prefix.Length..] : null;
        AcmeFailure failure = type switch
        {
            "rateLimited" => AcmeFailure.RateLimited,
            "accountDoesNotExist" => AcmeFailure.AccountRefused,
            "externalAccountRequired" => AcmeFailure.ExternalAccountRequired,
            _ => answer.Status == HttpStatusCode.TooManyRequests ? AcmeFailure.RateLimited : (int)answer.Status >= 500 ? AcmeFailure.Unreachable : AcmeFailure.Refused,
        };
        return new AcmeException(failure, problem is null ? $"{new Uri(url).Authority} answered {(int)answer.Status}" : Problems.Describe(problem), answer.RetryAfter, type);
    }

    private static T Read<T>(AcmeAnswer answer, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(answer.Body, type) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new AcmeException(AcmeFailure.BadAnswer, $"the authority's answer is no {type.Type.Name.ToLowerInvariant()}: {AcmeTransport.Short(e.Message)}", inner: e);
        }
    }

    private static byte[] Bytes<T>(T message, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(message, type);
}
