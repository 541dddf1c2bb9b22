using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Policies;

// The request's content, and what becomes of the request once the policies have seen it.
internal sealed partial class PolicyRun
{
    /// <summary>Whether the client's content is in the way of what a policy has put in its place.</summary>
    private bool NeedsDrain => _setBody is not null && !Exchange.IsUploadDone;

    internal ValueTask<ReadOnlyMemory<byte>?> ReadRequestBodyAsync(int bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesMax);
        if (_isAbandoned) return default;
        if (!Loop.IsCurrent) return OnLoop.RunAsync(Loop, (Run: this, Max: bytesMax), static part => part.Run.ReadRequestBodyAsync(part.Max));
        if (Exchange.FailReason != EndReason.None) return default;
        if (_isReading) return AfterReadAsync(bytesMax, isResponse: false);
        if (Body is not { } body)
        {
            RequestHead request = Exchange.Request;
            if (!Exchange.IsUploadDone && (request.Framing == MessageFraming.Chunked || request.ContentLength <= bytesMax)) return CollectRequestAsync(bytesMax);
            if (!Exchange.IsUploadDone)
            {
                Exchange.Fail(EndReason.RequestBodyTooLarge);
                return default;
            }
            _isBodyRead = true;
            body = Exchange.BufferedBody;
        }
        if (body.Length <= bytesMax) return new(body);
        Exchange.Fail(EndReason.RequestBodyTooLarge);
        return default;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>?> CollectRequestAsync(int bytesMax)
    {
        _requestBody.Begin(bytesMax);
        if (!await ReceiveAsync(_requestBody).ConfigureAwait(false))
        {
            EndRead();
            return null;
        }
        Exchange.BufferedBody = _requestBody.Written;
        _isBodyRead = true;
        EndRead();
        return Exchange.BufferedBody;
    }

    // Nothing is read by two at once: who asks while it is read gets what that brings.
    private async ValueTask<ReadOnlyMemory<byte>?> AfterReadAsync(int bytesMax, bool isResponse)
    {
        await (_readEnd ??= new()).Task.ConfigureAwait(false); // goes on within EndRead, so on the loop
        if (isResponse) return await ReadResponseBodyAsync(bytesMax).ConfigureAwait(false);
        return await ReadRequestBodyAsync(bytesMax).ConfigureAwait(false);
    }

    private void EndRead()
    {
        TaskCompletionSource? end = _readEnd;
        _readEnd = null;
        end?.SetResult();
    }

    private ValueTask<bool> DrainRequestAsync() => ReceiveAsync(DiscardingWriter.Instance);

    /// <summary>Has the client's content moved to a writer, to its end. False when that has failed, which is noted.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<bool> ReceiveAsync(TransportWriter output)
    {
        _isReading = true;
        Exchange.Disarm(); // the client has limits of its own for its silence
        if (Exchange.Request.ExpectContinue && Client.Transport.Input.Bytes.Length == Exchange.WireHeadLength)
        {
            TransportWriter client = Client.Transport.Output;
            client.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
            FlushResult sent = await Exchange.WhileClientTakesAsync(client.FlushAsync()).ConfigureAwait(false);
            if (sent.IsCompleted) Exchange.Fail(EndReason.ClientAborted);
        }
        if (Exchange.FailReason == EndReason.None)
        {
            Exchange.KeepHead();
            Client.Transport.Input.Consume(Exchange.WireHeadLength);
            await Upload.RunAsync(Exchange, output, writesChunks: false).ConfigureAwait(false);
            if (Exchange.IsUploadStopped)
            {
                Exchange.IsUploadStopped = false;
                Exchange.Fail(_requestBody.IsTooLong ? EndReason.RequestBodyTooLarge : EndReason.ResourceExhausted);
            }
            else if (!Exchange.IsUploadDone && Exchange.FailReason == EndReason.None) Exchange.Fail(EndReason.ClientAborted);
        }
        _isReading = false;
        if (Exchange.FailReason != EndReason.None)
        {
            Exchange.KeepClientAlive = false; // the rest of the content is in the way
            return false;
        }
        Exchange.Arm(ExchangePhase.Policy, TimeoutMilliseconds);
        return true;
    }

    internal void SetRequestBody(ReadOnlyMemory<byte> body)
    {
        if (body.Length > 0 && Exchange.Request.Method is RequestMethod.Trace) throw new InvalidOperationException("a TRACE request has no content (RFC 9110 §9.3.8)");
        _setBody = body;
    }

    /// <summary>Puts what the policies have changed in the place of what came. False where that is no request.</summary>
    private bool TryCommit()
    {
        NoteIdentity();
        NoteDryRuns();
        RequestHead request = Exchange.Request;
        if (_setBody is { } set) Exchange.BufferedBody = set;
        bool isFramedAnew = _setBody is not null || (_isBodyRead && (request.Framing == MessageFraming.Chunked || request.ExpectContinue));
        if (!isFramedAnew && !Request.IsTargetChanged && !Request.Fields.IsChanged) return true;
        long bodyLength = Exchange.IsUploadDone && (isFramedAnew || _isBodyRead) ? Exchange.BufferedBody.Length : -1;
        int sizeMax = PolicyWire.RequestBytesMax(Request, request);
        Span<byte> output = Exchange.BeginHead(sizeMax);
        int length = PolicyWire.WriteRequest(Request, request, Exchange.Head.Span, bodyLength, output);
        RejectionReason rejection = Exchange.EndHead(length, PolicyWire.Limits);
        if (rejection == RejectionReason.None) return true;
        PolicyLog.Unsendable(Exchange.Context.Server.Logger, Route.Name, rejection);
        return false;
    }

    internal ValueTask<ClusterResponse> SendAsync(string cluster, ClusterRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_isAbandoned) return new(new ClusterResponse(EndReason.ClientAborted));
        if (!Loop.IsCurrent) return OnLoop.RunAsync(Loop, (Run: this, Cluster: cluster, Request: request), static part => part.Run.SendAsync(part.Cluster, part.Request));
        Configuration.ClusterSnapshot snapshot = Array.Find(Exchange.Context.Server.Snapshot.Clusters, one => one.Name == cluster)
            ?? throw new ArgumentException($"there is no cluster \"{cluster}\"", nameof(cluster));
        var call = new ClusterCall(Exchange.Context);
        _calls.RemoveAll(one => one.IsOver);
        _calls.Add(call);
        return call.SendAsync(snapshot, request, Client);
    }
}
