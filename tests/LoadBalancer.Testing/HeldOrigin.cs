using System.Threading.Channels;

namespace LoadBalancer.Testing;

/// <summary>A destination that holds every request until the test says what is answered, in the order in which they came.</summary>
public sealed class HeldOrigin : IAsyncDisposable
{
    private readonly ScriptedOrigin _origin;
    private readonly Channel<string> _arrived = Channel.CreateUnbounded<string>(), _answers = Channel.CreateUnbounded<string>();
    private readonly Channel<StreamEnd> _ends = Channel.CreateUnbounded<StreamEnd>();
    private readonly SemaphoreSlim _sent = new(0);
    private int _requests;

    public HeldOrigin() => _origin = new ScriptedOrigin(ServeAsync);

    public string Address => _origin.Address;

    public int Connections => _origin.Connections;

    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Passes with the head of the next request that has come.</summary>
    public async Task<string> ArrivedAsync(CancellationToken token) => await _arrived.Reader.ReadAsync(token);

    /// <summary>Passes when a connection was ended by its other side while a request on it was held.</summary>
    public async Task<StreamEnd> EndedAsync(CancellationToken token) => await _ends.Reader.ReadAsync(token);

    /// <summary>Sends these bytes for the request held longest; null closes its connection.</summary>
    public void Answer(string? answer) => _answers.Writer.TryWrite(answer ?? "");

    /// <summary>Passes when one more answer was handed to the system.</summary>
    public Task SentAsync(CancellationToken token) => _sent.WaitAsync(token);

    /// <summary>An answer with this body.</summary>
    public static string Ok(string body) => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    private async Task ServeAsync(RawClient connection, int number, CancellationToken token)
    {
        Task<string> next = connection.ReadUntilAsync("\r\n\r\n", token);
        while (true)
        {
            string head = await next;
            Interlocked.Increment(ref _requests);
            _arrived.Writer.TryWrite(head);
            next = connection.ReadUntilAsync("\r\n\r\n", token);
            using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(token);
            Task<string> answer = _answers.Reader.ReadAsync(abandoned.Token).AsTask();
            if (await Task.WhenAny(answer, next) == next && next.IsFaulted)
            {
                await abandoned.CancelAsync();
                _ends.Writer.TryWrite(connection.End);
                await next;
            }
            string bytes = await answer;
            if (bytes.Length == 0) return;
            await connection.SendAsync(bytes, token);
            _sent.Release();
        }
    }

    public ValueTask DisposeAsync() => _origin.DisposeAsync();
}
