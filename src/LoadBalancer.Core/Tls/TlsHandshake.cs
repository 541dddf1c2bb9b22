using System.Net.Security;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Metrics;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>An accepted connection until its hand-shake is done. Lives on its loop's thread.</summary>
internal sealed class TlsHandshake(LoopContext context, ListenerSnapshot listener, TransportConnection transport)
    : OpeningConnection(context, listener, transport)
{
    private const byte HandshakeRecord = 22; // RFC 8446 §5.1
    private static readonly byte[] InternalErrorAlert = [21, 3, 3, 0, 2, 2, 80]; // RFC 8446 §6: fatal, internal_error
    private readonly TlsTermination _tls = listener.Tls!;
    private TlsConnection? _connection;

    private protected override EndReason TimeoutReason => EndReason.HandshakeTimeout;

    internal override void Start() => Begin(_tls.HandshakeMilliseconds);

    private protected override async ValueTask OpenAsync()
    {
        await Transport.Input.FillAsync();
        if (Reason == EndReason.None && Transport.Input.IsEmpty) Reason = EndReason.ClientAborted;
        if (Reason != EndReason.None) return;
        // Counted from here on: who says nothing holds neither a buffer nor a place.
        if (!_tls.TryBegin())
        {
            Reason = EndReason.HandshakeRefused;
            Transport.Abort();
            return;
        }
        try
        {
            if (Transport.Input.Bytes.Span[0] != HandshakeRecord)
            {
                Note(HandshakeOutcome.Failed);
                await RefusePlainAsync().ConfigureAwait(false);
            }
            else await HandshakeAsync().ConfigureAwait(false);
        }
        finally
        {
            _tls.End();
        }
    }

    private async ValueTask HandshakeAsync()
    {
        SslServerAuthenticationOptions? challenge = Context.Server.Challenges.HasTls ? await FindChallengeAsync().ConfigureAwait(false) : null;
        if (Reason != EndReason.None)
        {
            Note(HandshakeOutcome.Failed);
            return;
        }
        _connection = challenge is null ? _tls.CreateConnection(Transport) : new SslStreamServerConnection(Transport, challenge);
        if (_connection is null)
        {
            Reason = EndReason.CertificateMissing;
            Note(HandshakeOutcome.Failed);
            await Transport.Output.WriteAsync(InternalErrorAlert).ConfigureAwait(false);
            Transport.Input.Consume(Transport.Input.Bytes.Length);
            return;
        }
        bool isEstablished = await _connection.EstablishAsync().ConfigureAwait(false);
        if (challenge is null) Note(!isEstablished ? HandshakeOutcome.Failed : _connection.IsResumed ? HandshakeOutcome.Resumed : HandshakeOutcome.Full);
        if (Reason != EndReason.None) return;
        if (!isEstablished) Reason = Transport.Input.IsEnded ? EndReason.ClientAborted : _connection.FailReason;
        else if (challenge is not null) Reason = EndReason.ChallengeAnswered; // RFC 8737 §3: nothing follows
    }

    private void Note(HandshakeOutcome outcome) => Listener.State.NoteHandshake(Context.Loop.Index, outcome);

    // The hello is read whole before either engine sees it: .NET's tells a name only, and who offers what decides.
    private async ValueTask<SslServerAuthenticationOptions?> FindChallengeAsync()
    {
        string? name;
        while (!ChallengeHello.TryRead(Transport.Input.Bytes.Span, out name) && !Transport.Input.IsEnded)
        {
            Transport.Input.Consume(0, needsMore: true);
            if (await Transport.Input.FillAsync() || Reason != EndReason.None) break;
        }
        return name is null ? null : Context.Server.Challenges.FindTls(name);
    }

    private protected override void Proceed() => Serve(Context, Listener, _connection!, HandOn());

    private protected override void Close() => (_connection ?? Transport).Close();

    // RFC 9110 §15.5.1: who speaks plain HTTP here gets an answer that a person understands, as nginx gives it.
    private async Task RefusePlainAsync()
    {
        Reason = EndReason.PlainHttp;
        if (!_tls.IsHttp || Transport.Input.Bytes.Span[0] is < (byte)'A' or > (byte)'Z')
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
