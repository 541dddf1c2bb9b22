using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Tokens;
using LoadBalancer.Testing;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>An issuer: a key, tokens signed with it, and a server of its key set that goes down, is slow and rotates when it is told to.</summary>
internal sealed class JwksServer : IAsyncDisposable
{
    internal const string Issuer = "https://id.test/";

    private readonly ScriptedOrigin _server;
    private readonly Lock _gate = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private string _kid = "k1";
    private volatile Task _hold = Task.CompletedTask;
    private TaskCompletionSource _held = new();
    private int _requests;

    internal JwksServer() => _server = new ScriptedOrigin(ServeAsync);

    internal string Url => $"http://{_server.Address}/jwks.json";

    /// <summary>Answers with this in the place of the key set; empty: closes the connection.</summary>
    internal string? Instead { get; set; }

    internal int Requests
    {
        get
        {
            lock (_gate) return _requests;
        }
    }

    internal void Rotate(string kid)
    {
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _kid = kid;
    }

    internal void Hold()
    {
        _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _hold = _held.Task;
    }

    internal void Release()
    {
        _hold = Task.CompletedTask;
        _held.TrySetResult();
    }

    /// <summary>Ends when that many requests have come.</summary>
    internal Task ArrivedAsync(int count)
    {
        lock (_gate)
        {
            if (_requests >= count) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((count, reached));
            return reached.Task;
        }
    }

    internal string Token(string claims, string? kid = null)
    {
        string signed = $"{Encode($$"""{"alg":"ES256","kid":"{{kid ?? _kid}}"}""")}.{Encode(claims)}";
        return $"{signed}.{StrictBase64Url.Encode(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    internal string Jwks()
    {
        ECParameters key = _key.ExportParameters(false);
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"{{_kid}}","use":"sig","x":"{{StrictBase64Url.Encode(key.Q.X)}}","y":"{{StrictBase64Url.Encode(key.Q.Y)}}"}]}""";
    }

    private static string Encode(string text) => StrictBase64Url.Encode(Encoding.UTF8.GetBytes(text));

    private async Task ServeAsync(RawClient connection, int number, CancellationToken token)
    {
        while (true)
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            lock (_gate)
            {
                _requests++;
                foreach ((int count, TaskCompletionSource reached) in _waiting)
                    if (_requests >= count) reached.TrySetResult();
            }
            await _hold.WaitAsync(token);
            if (Instead is { Length: 0 }) return;
            string body = Jwks();
            await connection.SendAsync(Instead ?? $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}", token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        await _server.DisposeAsync();
    }
}
