using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Timers;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Serving;

/// <summary>
/// A client of a <see cref="RequestServer"/>: reads request after request, has the handler answer, sends what it writes. Lives on the server's loop; with the
/// handler, on the thread pool, it shares a pipe for the body of the answer and nothing else. One timer guards whatever it waits for.
/// </summary>
internal sealed class ServedConnection(RequestServer server, TransportConnection transport) : LoopTimer, IConnectionObserver
{
    private enum Phase : byte { None, Idle, Request, Write, Linger }

    private const int LingerMilliseconds = 1_000;
    private const int LingerBytesMax = 256 * 1024;

    private readonly RequestHead _head = new();
    private Phase _phase;
    private CancellationTokenSource? _aborting; // of the request that is being handled
    private PipeReader? _answer;
    private bool _isStreaming, _hasAsked;

    internal void Start()
    {
        server.Add(this);
        transport.Observer = this;
        _ = RunAsync(); // ends with the connection; catches everything itself
    }

    private async Task RunAsync()
    {
        try
        {
            bool goesOn;
            do goesOn = await ServeAsync().ConfigureAwait(false);
            while (goesOn && !server.IsStopping);
            if (transport.Fault == TransportFault.None && !transport.Input.IsEnded) await LingerAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            server.Failed(e);
            transport.Abort();
        }
        server.Loop.Timers.Remove(this);
        transport.Close();
        server.Remove(this);
    }

    /// <summary>One request. True when the connection can carry another.</summary>
    private async Task<bool> ServeAsync()
    {
        TransportReader input = transport.Input;
        Arm(Phase.Idle, server.Options.KeepAliveTimeout);
        if (await input.FillAsync() || input.IsEmpty) return false;

        _hasAsked = true;
        _head.Reset();
        ParseStatus status = _head.Parse(input.Bytes.Span, server.Options.HeadLimits);
        if (status == ParseStatus.NeedMore) Arm(Phase.Request, server.Options.RequestTimeout);
        while (status == ParseStatus.NeedMore)
        {
            if (input.IsEnded) return false;
            input.Consume(0, needsMore: true);
            if (await input.FillAsync()) return await RefuseAsync(408, "the head of the request took too long").ConfigureAwait(false);
            status = _head.Parse(input.Bytes.Span, server.Options.HeadLimits);
        }
        if (status == ParseStatus.Rejected)
            return await RefuseAsync(Rejections.StatusOf(_head.Rejection), $"the request breaks a rule of HTTP: {_head.Rejection}").ConfigureAwait(false);
        if (_head.Method == RequestMethod.Connect) return await RefuseAsync(501, "CONNECT: there is nothing to tunnel to").ConfigureAwait(false);

        var request = new ServedRequest(_head, input.Bytes.Span, transport.Remote, transport.GetPeerIds());
        input.Consume(_head.Length);
        if (_head.HasBody && await ReadBodyAsync(request).ConfigureAwait(false) is { } refusal)
            return refusal.Status != 0 && await RefuseAsync(refusal.Status, refusal.Detail).ConfigureAwait(false);
        Disarm();
        return await AnswerAsync(request).ConfigureAwait(false);
    }

    // Null when the body is there; status 0 when the client is gone.
    private async Task<(int Status, string Detail)?> ReadBodyAsync(ServedRequest request)
    {
        TransportReader input = transport.Input;
        var body = new ServedBody(_head, server.Options.BodyBytesMax);
        bool isAwaited = _head.ExpectContinue && _head.MinorVersion > 0;
        Arm(Phase.Request, server.Options.RequestTimeout);
        while (true)
        {
            ParseStatus status = body.Read(input.Bytes.Span, out int consumed);
            if (status == ParseStatus.Rejected)
                return body.IsTooLarge ? (413, $"the body is larger than {server.Options.BodyBytesMax} bytes") : (400, "the framing of the body is broken");
            input.Consume(consumed, needsMore: status == ParseStatus.NeedMore);
            if (status == ParseStatus.Complete) break;
            if (input.IsEnded) return (0, "");
            if (isAwaited && input.IsEmpty) // RFC 9110 §10.1.1: the client waits for this before it sends the body
            {
                if (!await SendAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), default).ConfigureAwait(false)) return (0, "");
                Arm(Phase.Request, server.Options.RequestTimeout);
            }
            isAwaited = false;
            if (await input.FillAsync()) return (408, "the body of the request took too long");
        }
        request.Body = body.Bytes;
        return null;
    }

    private async Task<bool> AnswerAsync(ServedRequest request)
    {
        bool keepAlive = _head.KeepAlive && !server.IsStopping, isHead = _head.Method == RequestMethod.Head;
        var pipe = new Pipe(server.PipeOptions);
        var response = new ServedResponse(pipe.Writer);
        var aborting = new CancellationTokenSource(); // left to the collector: a cancellation may be on its way
        _answer = pipe.Reader;
        _aborting = aborting;
        server.Handle(request, response, aborting.Token);
        try
        {
            ReadResult result = await pipe.Reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            if (result.IsCanceled) return false; // the client is gone
            // RFC 9112 §7.1: nobody sends chunks to HTTP/1.0; there the end of the connection ends the body.
            bool isWhole = result.IsCompleted, isChunked = !isWhole && _head.MinorVersion > 0;
            keepAlive &= !server.IsStopping && (isWhole || isChunked);
            string framing = response.Status is 204 or 304 ? "" : isWhole ? $"Content-Length: {result.Buffer.Length}\r\n" : isChunked ? "Transfer-Encoding: chunked\r\n" : "";
            transport.Output.Write(HeadOf(response.Status, $"{response.FieldLines}{framing}", keepAlive));
            if (isHead || response.Status is 204 or 304)
            {
                pipe.Reader.AdvanceTo(result.Buffer.End);
                if (!isWhole) Abandon();
                return await SendAsync(default, default).ConfigureAwait(false) && keepAlive;
            }
            _isStreaming = !isWhole;
            return await SendBodyAsync(pipe.Reader, result, isChunked).ConfigureAwait(false) && keepAlive;
        }
        catch (Exception e) when (!_isStreaming && transport.Fault == TransportFault.None)
        {
            server.Failed(e);
            return await RefuseAsync(500, "an internal error; the log of the balancer says which").ConfigureAwait(false);
        }
        finally
        {
            Abandon();
        }
    }

    // True when the client has taken it whole.
    private async Task<bool> SendBodyAsync(PipeReader body, ReadResult result, bool isChunked)
    {
        while (true)
        {
            if (result.IsCanceled) return false;
            if (result.Buffer.IsEmpty && !result.IsCompleted && !await SendAsync(default, default).ConfigureAwait(false)) return false;
            foreach (ReadOnlyMemory<byte> part in result.Buffer)
            {
                if (part.IsEmpty) continue;
                if (isChunked) transport.Output.Write(Encoding.ASCII.GetBytes($"{part.Length:x}\r\n"));
                if (!await SendAsync(part, isChunked ? "\r\n"u8.ToArray() : default).ConfigureAwait(false)) return false;
            }
            body.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) break;
            try
            {
                result = await body.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // Half an answer must not be taken for a whole one.
                server.Failed(e);
                transport.Abort();
                return false;
            }
        }
        return await SendAsync(isChunked ? "0\r\n\r\n"u8.ToArray() : default, default).ConfigureAwait(false);
    }

    private byte[] HeadOf(int status, string fields, bool keepAlive)
    {
        string connection = !keepAlive ? "Connection: close\r\n" : _head.MinorVersion == 0 ? "Connection: keep-alive\r\n" : "";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status} {Responses.ReasonPhrase(status)}\r\nDate: {server.Loop.Time.GetUtcNow():R}\r\nCache-Control: no-store\r\n{fields}{connection}\r\n");
    }

    /// <summary>An answer of our own (RFC 9457), and the end of the connection.</summary>
    private async Task<bool> RefuseAsync(int status, string detail)
    {
        byte[] body = Encoding.ASCII.GetBytes($$"""{"title":"{{Responses.ReasonPhrase(status)}}","status":{{status}},"detail":"{{detail}}"}""" + "\n");
        transport.Output.Write(HeadOf(status, $"Content-Type: application/problem+json\r\nContent-Length: {body.Length}\r\n", keepAlive: false));
        await SendAsync(body, default).ConfigureAwait(false);
        return false;
    }

    // False when the connection is broken.
    private async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte> tail)
    {
        Arm(Phase.Write, server.Options.WriteTimeout);
        await transport.Output.WriteAsync(bytes, tail).ConfigureAwait(false);
        Disarm();
        return transport.Fault == TransportFault.None;
    }

    // Closing with bytes unread makes the kernel send a reset, which can overtake the answer.
    private async Task LingerAsync()
    {
        transport.Output.Complete();
        Arm(Phase.Linger, TimeSpan.FromMilliseconds(LingerMilliseconds));
        for (int dropped = 0; dropped < LingerBytesMax;)
        {
            bool isCanceled = await transport.Input.FillAsync();
            int received = transport.Input.Bytes.Length;
            dropped += received;
            transport.Input.Consume(received);
            if (isCanceled || transport.Input.IsEnded) return;
        }
    }

    /// <summary>Nobody waits for the handler any more, if it still runs.</summary>
    private void Abandon()
    {
        _isStreaming = false;
        if (_aborting is { } aborting) _ = aborting.CancelAsync(); // not here: what the handler registered runs inside
        _aborting = null;
        _answer?.Complete();
        _answer = null;
    }

    private void Arm(Phase phase, TimeSpan time)
    {
        _phase = phase;
        server.Loop.Timers.Set(this, server.Loop.NowMilliseconds + (long)time.TotalMilliseconds);
    }

    private void Disarm()
    {
        _phase = Phase.None;
        TimerWheel.Cancel(this);
    }

    protected internal override void OnTimeout()
    {
        if (_phase == Phase.Write) transport.Abort();
        else transport.Input.CancelPendingRead();
    }

    /// <summary>The client broke off, or said more, while its request is being answered.</summary>
    public void OnConnectionEvent(bool readable, bool broken)
    {
        if (broken) _answer?.CancelPendingRead();
    }

    /// <summary>The server stops: what is idle or streams without an end ends now, the rest with its answer.</summary>
    internal void OnStop()
    {
        if (_phase is Phase.Idle && server.IsLeaving && !_hasAsked) return;
        if (_phase is Phase.Idle) transport.Input.CancelPendingRead();
        else if (_isStreaming && _aborting is { } aborting) _ = aborting.CancelAsync();
    }
}
