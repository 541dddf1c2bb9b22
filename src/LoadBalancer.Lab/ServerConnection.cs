using System.Buffers.Text;
using System.IO.Pipelines;
using LoadBalancer.Core.Transport;
using LoadBalancer.Simulation.Engine;

namespace LoadBalancer.Lab;

/// <summary>
/// A balancer's connection to an embedded server. Knows just the HTTP/1.1 that our own balancers send for our own requests: heads without bodies,
/// one at a time.
/// </summary>
internal sealed class ServerConnection(LiveTurn turn, Server server, TransportConnection connection, int index)
{
    private static readonly byte[] s_good = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"u8.ToArray();
    private static readonly byte[] s_bad = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 7\r\n\r\nfailed\n"u8.ToArray();
    private bool _isClosed;

    internal int Index => index;

    /// <summary>When the last request came.</summary>
    internal long RequestedAt { get; set; }

    internal void Start() => _ = ServeAsync();

    private async Task ServeAsync()
    {
        TransportReader input = connection.Input;
        while (true)
        {
            int end = input.Bytes.Span.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                if (input.IsEnded) break;
                input.Consume(0, needsMore: true);
                await input.FillAsync();
                continue;
            }
            int id = IdOf(input.Bytes.Span[..end]);
            input.Consume(end + 4);
            turn.OnRequest(server, this, id);
        }
        _isClosed = true;
        connection.Close();
    }

    // "GET /17 HTTP/1.1"
    private static int IdOf(ReadOnlySpan<byte> head)
    {
        int slash = head.IndexOf((byte)'/');
        return slash >= 0 && Utf8Parser.TryParse(head[(slash + 1)..], out int id, out _) ? id : -1;
    }

    /// <summary>Answers the request under way, if somebody waits for it still.</summary>
    internal void Answer(bool isGood)
    {
        if (_isClosed) return;
        ValueTask<FlushResult> sent = connection.Output.WriteAsync(isGood ? s_good : s_bad);
        if (!sent.IsCompletedSuccessfully) connection.Abort(); // so little always fits
    }

    internal void Abort()
    {
        if (!_isClosed) connection.Abort();
    }
}
