using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>An accepted connection until its hand-shake is done. Lives on its loop's thread.</summary>
internal sealed class TlsHandshake(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    : OpeningConnection(context, listener, transport)
{
    private const byte HandshakeRecord = 22; // RFC 8446 §5.1
    private readonly TlsTermination _tls = listener.Tls!;
    private TlsConnection? _connection;

    private protected override EndReason TimeoutReason => EndReason.HandshakeTimeout;

    internal override void Start()
    {
        if (_tls.TryBegin()) Begin(_tls.HandshakeMilliseconds);
        else Refuse(EndReason.HandshakeRefused);
    }

    private protected override async ValueTask OpenAsync()
    {
        try
        {
            await Transport.Input.FillAsync();
            if (Reason == EndReason.None && Transport.Input.IsEmpty) Reason = EndReason.ClientAborted;
            else if (Reason == EndReason.None && Transport.Input.Bytes.Span[0] != HandshakeRecord) await RefusePlainAsync().ConfigureAwait(false);
            if (Reason != EndReason.None) return;
            _connection = _tls.CreateConnection(Transport);
            bool isEstablished = await _connection.EstablishAsync().ConfigureAwait(false);
            if (!isEstablished && Reason == EndReason.None) Reason = Transport.Input.IsEnded ? EndReason.ClientAborted : _connection.FailReason;
        }
        finally
        {
            _tls.End();
        }
    }

    private protected override void Proceed() => Serve(Context, Listener, _connection!);

    private protected override void Close() => (_connection ?? Transport).Close();

    // RFC 9110 §15.5.1: who speaks plain HTTP here gets an answer that a person understands, as nginx gives it.
    private async Task RefusePlainAsync()
    {
        Reason = EndReason.PlainHttp;
        if (Transport.Input.Bytes.Span[0] is < (byte)'A' or > (byte)'Z')
        {
            Reason = EndReason.HandshakeFailed;
            return;
        }
        const string Body = "400 Bad Request: this port speaks TLS; use https://\n";
        await Transport.Output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
            $"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {Body.Length}\r\n\r\n{Body}")).ConfigureAwait(false);
        Transport.Input.Consume(Transport.Input.Bytes.Length);
    }
}
