using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>An accepted connection until its hand-shake is done. Lives on its loop's thread.</summary>
internal sealed class TlsHandshake(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    : ClientConnection(context, listener, transport)
{
    private const byte HandshakeRecord = 22; // RFC 8446 §5.1
    private readonly TlsTermination _tls = listener.Tls!;
    private EndReason _reason;

    internal override void Start()
    {
        if (!_tls.TryBegin())
        {
            Record(EndReason.HandshakeRefused);
            Transport.Abort(); // the cheapest end for us
            Transport.Close();
            return;
        }
        base.Start();
        Context.Loop.Timers.Set(this, Context.Loop.NowMilliseconds + _tls.HandshakeMilliseconds);
        _ = RunAsync(); // ends with the hand-shake; catches everything itself
    }

    private async Task RunAsync()
    {
        TlsConnection? connection = null;
        try
        {
            await Transport.Input.FillAsync();
            if (_reason == EndReason.None && Transport.Input.IsEmpty) _reason = EndReason.ClientAborted;
            else if (_reason == EndReason.None && Transport.Input.Bytes.Span[0] != HandshakeRecord) await RefusePlainAsync().ConfigureAwait(false);
            if (_reason == EndReason.None)
            {
                connection = _tls.CreateConnection(Transport);
                bool isEstablished = await connection.EstablishAsync().ConfigureAwait(false);
                if (!isEstablished && _reason == EndReason.None) _reason = Transport.Input.IsEnded ? EndReason.ClientAborted : connection.FailReason;
            }
        }
        catch (Exception e)
        {
            Context.Server.OnInternalError(e);
            _reason = EndReason.InternalError;
        }
        _tls.End();
        if (_reason == EndReason.None) Serve(Context, Listener, connection!);
        else
        {
            Record(_reason);
            (connection ?? Transport).Close();
        }
        Leave();
    }

    // RFC 9110 §15.5.1: who speaks plain HTTP here gets an answer that a person understands, as nginx gives it.
    private async Task RefusePlainAsync()
    {
        _reason = EndReason.PlainHttp;
        if (Transport.Input.Bytes.Span[0] is < (byte)'A' or > (byte)'Z')
        {
            _reason = EndReason.HandshakeFailed;
            return;
        }
        const string Body = "400 Bad Request: this port speaks TLS; use https://\n";
        await Transport.Output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
            $"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {Body.Length}\r\n\r\n{Body}")).ConfigureAwait(false);
        Transport.Input.Consume(Transport.Input.Bytes.Length);
    }

    internal override void Fail(EndReason reason)
    {
        if (_reason == EndReason.None) _reason = reason;
        Transport.Abort();
    }

    protected internal override void OnTimeout() => Fail(EndReason.HandshakeTimeout);

    /// <summary>Draining: who has not said anything yet is not waited for.</summary>
    internal override void OnDrain() => Fail(EndReason.Shutdown);
}
