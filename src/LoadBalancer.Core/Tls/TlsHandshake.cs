using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>An accepted connection until its hand-shake is done. Lives on its loop's thread.</summary>
internal sealed class TlsHandshake(LoopContext context, ListenerSnapshot listener, TransportConnection transport) : LoopTimer
{
    private const byte HandshakeRecord = 22; // RFC 8446 §5.1
    private readonly TlsTermination _tls = listener.Tls!;
    private EndReason _reason;

    internal void Start()
    {
        if (!_tls.TryBegin())
        {
            Record(EndReason.HandshakeRefused);
            transport.Abort(); // the cheapest end for us
            transport.Close();
            return;
        }
        context.Add(this);
        context.Loop.Timers.Set(this, context.Loop.NowMilliseconds + _tls.HandshakeMilliseconds);
        _ = RunAsync(); // ends with the hand-shake; catches everything itself
    }

    private async Task RunAsync()
    {
        TlsConnection? connection = null;
        try
        {
            await transport.Input.FillAsync();
            if (_reason == EndReason.None && transport.Input.IsEmpty) _reason = EndReason.ClientAborted;
            else if (_reason == EndReason.None && transport.Input.Bytes.Span[0] != HandshakeRecord) await RefusePlainAsync().ConfigureAwait(false);
            if (_reason == EndReason.None)
            {
                connection = new TlsConnection(transport);
                await connection.Ssl.AuthenticateAsServerAsync(_tls.Select, null, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (TlsConnection.IsPeerFault(e))
        {
            if (_reason == EndReason.None) _reason = transport.Input.IsEnded ? EndReason.ClientAborted : EndReason.HandshakeFailed;
        }
        catch (Exception e)
        {
            context.Server.OnInternalError(e);
            _reason = EndReason.InternalError;
        }
        _tls.End();
        context.Loop.Timers.Remove(this);
        if (_reason == EndReason.None)
        {
            new Http1Connection(context, listener, connection!).Start();
            context.Remove(this);
            return;
        }
        context.Remove(this);
        Record(_reason);
        connection?.Ssl.Dispose();
        transport.Close();
    }

    // RFC 9110 §15.5.1: who speaks plain HTTP here gets an answer that a person understands, as nginx gives it.
    private async Task RefusePlainAsync()
    {
        _reason = EndReason.PlainHttp;
        if (transport.Input.Bytes.Span[0] is < (byte)'A' or > (byte)'Z')
        {
            _reason = EndReason.HandshakeFailed;
            return;
        }
        const string Body = "400 Bad Request: this port speaks TLS; use https://\n";
        await transport.Output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
            $"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {Body.Length}\r\n\r\n{Body}")).ConfigureAwait(false);
        transport.Input.Consume(transport.Input.Bytes.Length);
    }

    private void Record(EndReason reason) => context.RecordConnection(listener, transport.Remote, reason);

    /// <summary>Cuts it.</summary>
    internal void Fail(EndReason reason)
    {
        if (_reason == EndReason.None) _reason = reason;
        transport.Abort();
    }

    protected internal override void OnTimeout() => Fail(EndReason.HandshakeTimeout);

    /// <summary>Draining: who has not said anything yet is not waited for.</summary>
    internal void OnDrain() => Fail(EndReason.Shutdown);
}
