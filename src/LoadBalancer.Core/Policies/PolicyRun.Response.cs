using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

// The answer on its way back: a destination's, or one from the cache.
internal sealed partial class PolicyRun
{
    private readonly CollectingWriter _responseBody;
    private ReadOnlyMemory<byte>? _setResponseBody;
    private Slab? _responseHead;
    private int _responseHeadLength;
    private ReadOnlyMemory<byte> _originalHead; // the destination's, once its bytes have gone with its connection
    private bool _isResponseRead, _isStored;
    private long _storedFirst, _storedLength;

    internal bool ForgetsContentLength { get; set; }

    /// <summary>The head that the policies have made; empty while the destination's stands.</summary>
    internal ReadOnlyMemory<byte> ResponseHead => _responseHead is null ? default : _responseHead.Array.AsMemory(0, _responseHeadLength);

    /// <summary>Length of the destination's own head, which stands before its content.</summary>
    internal int ResponseWireLength { get; private set; }

    // Where HEAD is asked, or the status has none, a set body is none either.
    internal bool HasResponseBody => !ResponseContext.IsBodiless(Response.Status) && Exchange.Request.Method != RequestMethod.Head;

    internal long ResponseContentLength => ResponseBody is { } body ? body.Length : _isStored && HasResponseBody ? _storedLength : Exchange.Response.ContentLength;

    internal ReadOnlyMemory<byte>? ResponseBody => _setResponseBody ?? (_isResponseRead ? (ReadOnlyMemory<byte>?)_responseBody.Written : null);

    private void BeginResponse()
    {
        _setResponseBody = null;
        _isResponseRead = _isStored = ForgetsContentLength = false;
        _originalHead = default;
        ResponseWireLength = 0;
    }

    private void EndResponse()
    {
        if (_responseHead is not null) Loop.Slabs.Return(_responseHead);
        _responseHead = null;
        _setResponseBody = null;
    }

    internal void SetResponseBody(ReadOnlyMemory<byte> body)
    {
        if (HasResponseBody) _setResponseBody = body;
        else ForgetsContentLength = true;
    }

    /// <summary>Step 5 for an answer whose whole head stands at the front of the destination's bytes.</summary>
    internal ValueTask RelayAsync()
    {
        ReadOnlyMemory<byte> bytes = Exchange.Upstream!.Transport.Input.Bytes;
        ResponseWireLength = Exchange.Response.Length;
        Exchange.IsBodyUnsent = false; // that the client has what the destination sent says nothing of what the policies make of it
        Response.Begin(Exchange.Response, bytes.Span, isFromCache: false);
        Task? seeing = See();
        return seeing is null ? GoOnRelaying() : WaitAsync(seeing);

        [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
        async ValueTask WaitAsync(Task seeing)
        {
            if (!await SeenAsync(seeing).ConfigureAwait(false)) return;
            await GoOnRelaying().ConfigureAwait(false);
        }
    }

    /// <summary>An answer from the cache, the body of which the cache's exchange holds.</summary>
    internal ValueTask AnswerStoredAsync(StoredHead stored)
    {
        EndResponse(); // of an answer in whose place this one comes
        BeginResponse();
        _isStored = true;
        _responseHead = Loop.Slabs.Lease(stored.WrittenBytesMax + 256);
        var head = new HeadBuffer(_responseHead.Array);
        CacheHit.WriteHead(Exchange, stored, ref head, out _storedFirst, out _storedLength);
        head.Append("\r\n"u8);
        _responseHeadLength = head.Length;
        if (!TryParse()) return FailedAsync(EndReason.PolicyFailed);
        Response.Begin(Exchange.Response, ResponseHead.Span, isFromCache: true);
        Task? seeing = See();
        return seeing is null ? SendStored() : WaitAsync(seeing);

        [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
        async ValueTask WaitAsync(Task seeing)
        {
            if (!await SeenAsync(seeing).ConfigureAwait(false)) return;
            await SendStored().ConfigureAwait(false);
        }
    }

    /// <summary>Has the policies look at the answer, the last first. Null when all have.</summary>
    private Task? See()
    {
        Current = _policies.Responses.Length;
        return SeeNext();
    }

    /// <summary>Waits for the policies that are left. False when the answer cannot be sent; then another one was, or the client's connection was cut.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> SeenAsync(Task? seeing)
    {
        Exchange.Arm(ExchangePhase.Policy, TimeoutMilliseconds);
        while (seeing is not null)
        {
            if (!seeing.IsCompleted && !await WaitAsync(seeing).ConfigureAwait(false))
            {
                Abandon();
                await FailedAsync(Exchange.FailReason).ConfigureAwait(false);
                return false;
            }
            if (seeing.IsFaulted || seeing.IsCanceled) Failed(seeing.Exception?.GetBaseException() ?? new OperationCanceledException("the policy has given up"));
            if (seeing.IsFaulted || seeing.IsCanceled || Exchange.FailReason != EndReason.None)
            {
                await FailedAsync(Exchange.FailReason != EndReason.None ? Exchange.FailReason : EndReason.PolicyFailed).ConfigureAwait(false);
                return false;
            }
            seeing = SeeNext();
        }
        Exchange.Disarm();
        return true;
    }

    private Task? SeeNext()
    {
        IResponsePolicy?[] policies = _policies.Responses;
        for (Current--; Current >= 0; Current--)
        {
            if (policies[Current] is not { } policy) continue;
            try
            {
                ValueTask seeing = policy.OnResponseAsync(Response);
                if (!seeing.IsCompletedSuccessfully) return seeing.AsTask();
                seeing.GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                return Task.FromException(e);
            }
            if (Exchange.FailReason != EndReason.None) return Task.CompletedTask;
        }
        return null;
    }

    private ValueTask GoOnRelaying()
    {
        NoteIdentity();
        if (ResponseBody is not { } body)
        {
            if (!Response.Fields.IsChanged && !Response.IsStatusChanged && !ForgetsContentLength) return Forwarder.RelayAsync(Exchange);
            return TryRewriteHead(Exchange.Upstream!.Transport.Input.Bytes.Span, -1) ? Forwarder.RelayAsync(Exchange) : FailedAsync(EndReason.PolicyFailed);
        }
        return SendWholeAsync(body);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask SendWholeAsync(ReadOnlyMemory<byte> body)
    {
        if (Exchange.Upstream is { } upstream)
        {
            _originalHead = upstream.Transport.Input.Bytes[..ResponseWireLength].ToArray();
            await Forwarder.EndUnsentAsync(Exchange).ConfigureAwait(false);
        }
        if (!TryRewriteHead(_originalHead.Span, body.Length))
        {
            await FailedAsync(EndReason.PolicyFailed).ConfigureAwait(false);
            return;
        }
        Exchange.Record.Reason = EndReason.Completed;
        await SendAsync(body).ConfigureAwait(false);
    }

    private ValueTask SendStored()
    {
        NoteIdentity();
        Exchange.Record.Reason = EndReason.Cached;
        long bodyLength = ResponseBody is { } known ? known.Length : -1;
        if ((Response.Fields.IsChanged || Response.IsStatusChanged || ForgetsContentLength || bodyLength >= 0) && !TryRewriteHead(ResponseHead.Span, bodyLength)) return FailedAsync(EndReason.PolicyFailed);
        if (ResponseBody is { } body) return SendAsync(body);
        Exchange.Record.Status = Exchange.Response.Status;
        if (Exchange.Client.IsDraining) Exchange.KeepClientAlive = false;
        ResponseHeadWriter.Write(Exchange, ResponseHead.Span, Client.Transport.Output);
        return CacheHit.SendBodyAsync(Exchange, _storedFirst, HasResponseBody ? _storedLength : 0);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask SendAsync(ReadOnlyMemory<byte> body)
    {
        TransportWriter output = Client.Transport.Output;
        Exchange.Record.Status = Exchange.Response.Status;
        Exchange.IsResponseStarted = true;
        if (Exchange.Client.IsDraining) Exchange.KeepClientAlive = false;
        ResponseHeadWriter.Write(Exchange, ResponseHead.Span, output);
        Exchange.Record.ResponseBodyBytes = body.Length;
        if (!Exchange.KeepClientAlive && Exchange.IsUploadDone) output.EndFollows();
        FlushResult sent = await Exchange.WhileClientTakesAsync(body.IsEmpty ? output.FlushAsync() : output.WriteAsync(body)).ConfigureAwait(false);
        if (!sent.IsCompleted && !sent.IsCanceled) return;
        Exchange.Record.Reason = Exchange.FailReason != EndReason.None ? Exchange.FailReason : EndReason.ClientAborted;
        Exchange.KeepClientAlive = false;
        Client.Transport.Abort();
    }

    internal ValueTask<ReadOnlyMemory<byte>?> ReadResponseBodyAsync(int bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesMax);
        if (_isAbandoned) return default;
        if (!Loop.IsCurrent) return OnLoop.RunAsync(Loop, (Run: this, Max: bytesMax), static part => part.Run.ReadResponseBodyAsync(part.Max));
        if (Exchange.FailReason != EndReason.None) return default;
        if (!HasResponseBody) return new(ReadOnlyMemory<byte>.Empty);
        if (_isReading) return AfterReadAsync(bytesMax, isResponse: true);
        if (ResponseBody is { } body)
        {
            if (body.Length <= bytesMax) return new(body);
            Exchange.Fail(EndReason.PolicyFailed);
            return default;
        }
        _responseBody.Begin(bytesMax);
        return _isStored ? CollectStoredAsync() : CollectResponseAsync();
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>?> CollectResponseAsync()
    {
        _isReading = true;
        // The head is needed again when its bytes have gone with the connection.
        _originalHead = Exchange.Upstream!.Transport.Input.Bytes[..ResponseWireLength].ToArray();
        (EndReason reason, bool isClean) = await Forwarder.ReadBodyAsync(Exchange, _responseBody).ConfigureAwait(false);
        if (_responseBody.IsTooLong) Exchange.Record.Detail = "the content is longer than the policy may read";
        else if (reason == EndReason.Completed) Exchange.Cache?.Fetch.Complete([], Exchange.Context.UnixMilliseconds);
        await Forwarder.EndReadAsync(Exchange, reason, isClean).ConfigureAwait(false);
        _isReading = false; // only now: who asks meanwhile is not to read anew
        if (reason != EndReason.Completed)
        {
            if (Exchange.FailReason == EndReason.None) Exchange.Fail(_responseBody.IsTooLong ? EndReason.PolicyFailed : reason == EndReason.ClientAborted ? EndReason.ResourceExhausted : reason);
            EndRead();
            return null;
        }
        Exchange.Arm(ExchangePhase.Policy, TimeoutMilliseconds);
        _isResponseRead = true;
        EndRead();
        return _responseBody.Written;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>?> CollectStoredAsync()
    {
        _isReading = true;
        bool isWhole = await CacheHit.CopyBodyAsync(Exchange, _storedFirst, _storedLength, _responseBody).ConfigureAwait(false);
        _isReading = false;
        if (!isWhole)
        {
            if (_responseBody.IsTooLong) Exchange.Record.Detail = "the content is longer than the policy may read";
            Exchange.Fail(_responseBody.IsTooLong ? EndReason.PolicyFailed : EndReason.StoredBodyBroken);
            EndRead();
            return null;
        }
        _isResponseRead = true;
        EndRead();
        return _responseBody.Written;
    }

    private bool TryRewriteHead(ReadOnlySpan<byte> bytes, long bodyLength)
    {
        int sizeMax = PolicyWire.ResponseBytesMax(Response, Exchange.Response);
        if (sizeMax > SlabPool.LargeSize) return false;
        Slab slab = Loop.Slabs.Lease(sizeMax);
        _responseHeadLength = PolicyWire.WriteResponse(Response, Exchange.Response, bytes, bodyLength, ForgetsContentLength, slab.Array);
        if (_responseHead is not null) Loop.Slabs.Return(_responseHead);
        _responseHead = slab;
        return TryParse();
    }

    private bool TryParse()
    {
        Exchange.Response.Reset();
        if (Exchange.Response.Parse(ResponseHead.Span, PolicyWire.Limits, Exchange.Request.Method) == ParseStatus.Complete) return true;
        PolicyLog.Unsendable(Exchange.Context.Server.Logger, Route.Name, Exchange.Response.Rejection);
        return false;
    }

    // The answer cannot be sent: the destination's is thrown away, and the client gets an error.
    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask FailedAsync(EndReason reason)
    {
        Exchange.Disarm();
        NoteIdentity();
        if (Exchange.Upstream is not null) await Forwarder.EndUnsentAsync(Exchange).ConfigureAwait(false);
        Exchange.Record.Status = 0;
        await Forwarder.FailAsync(Exchange, reason).ConfigureAwait(false);
    }
}
