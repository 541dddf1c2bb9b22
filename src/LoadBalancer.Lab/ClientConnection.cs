using System.Buffers.Text;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;
using System.Text.Unicode;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Lab;

/// <summary>A client's connection to a balancer, one request at a time. Knows answers with Content-Length only, as all of ours have it.</summary>
internal sealed class ClientConnection(LiveTurn turn, LoadClient owner, TransportConnection connection)
{
    internal const string KeyField = "x-key";
    private const int None = -1;
    private int _id = None; // of the request under way

    /// <summary>Whether it has ended, while free.</summary>
    internal bool IsClosed { get; private set; }

    /// <summary>Connects, then sends.</summary>
    internal void Start(int id, ulong key) => _ = RunAsync(id, key);

    internal void Send(int id, ulong key)
    {
        _id = id;
        Span<byte> room = connection.Output.GetSpan(128);
        bool fits = Utf8.TryWrite(room, $"GET /{id} HTTP/1.1\r\nHost: lab\r\n{KeyField}: {key:x}\r\n\r\n", out int length);
        Debug.Assert(fits);
        connection.Output.Advance(length);
        ValueTask<FlushResult> sent = connection.Output.FlushAsync();
        if (!sent.IsCompletedSuccessfully) connection.Abort(); // so little always fits
    }

    private async Task RunAsync(int id, ulong key)
    {
        if (await connection.ConnectAsync().ConfigureAwait(false) == ConnectResult.Connected)
        {
            Send(id, key);
            await ReadAsync().ConfigureAwait(false);
        }
        else _id = id;
        IsClosed = true;
        connection.Close();
        int unanswered = _id;
        _id = None;
        if (unanswered != None) turn.OnAnswer(unanswered, PickOutcomeKind.ProtocolFailure);
        owner.Closed();
    }

    private async Task ReadAsync()
    {
        TransportReader input = connection.Input;
        while (true)
        {
            if (LengthOf(input.Bytes.Span, out int status) is { } length && length <= input.Bytes.Length)
            {
                if (_id == None) return; // an answer to nothing
                input.Consume(length);
                int answered = _id;
                _id = None;
                turn.OnAnswer(answered, status switch { 200 => PickOutcomeKind.Success, 504 => PickOutcomeKind.Timeout, _ => PickOutcomeKind.ServerError });
                owner.Freed(this);
                continue;
            }
            if (input.IsEnded) return;
            input.Consume(0, needsMore: true);
            await input.FillAsync();
        }
    }

    // Of head and body together; null before the head is complete.
    private static int? LengthOf(ReadOnlySpan<byte> bytes, out int status)
    {
        status = 0;
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0) return null;
        if (!Utf8Parser.TryParse(bytes["HTTP/1.1 ".Length..], out status, out _)) return end + 4;
        foreach (Range line in bytes[..end].Split("\r\n"u8))
        {
            ReadOnlySpan<byte> field = bytes[line];
            if (field.Length > 15 && Ascii.EqualsIgnoreCase(field[..15], "content-length:"u8) && Utf8Parser.TryParse(field[15..].TrimStart((byte)' '), out int body, out _)) return end + 4 + body;
        }
        return end + 4;
    }
}
