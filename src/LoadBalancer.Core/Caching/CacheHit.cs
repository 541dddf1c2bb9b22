using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Caching;

/// <summary>Sends what is stored: the whole of it, a part, or that the client has it already.</summary>
internal static class CacheHit
{
    /// <summary>Answers the exchange with what was found, under that head. Its body is held until the exchange ends.</summary>
    // Hot path: per hit. 0 allocations. One system call where the socket takes all.
    internal static ValueTask SendAsync(Exchange exchange, StoredHead stored)
    {
        if (exchange.Policies is { HasResponsePolicies: true } policies) return policies.AnswerStoredAsync(stored);
        if (exchange.Client.IsDraining) exchange.KeepClientAlive = false;
        HeadBuffer head = Begin(exchange, stored);
        WriteHead(exchange, stored, ref head, out long first, out long length);
        End(exchange, ref head);
        return SendBodyAsync(exchange, first, length);
    }

    /// <summary>Writes status and fields of the stored response, but none of the connection's; and says which part of its content belongs to them.</summary>
    internal static void WriteHead(Exchange exchange, StoredHead stored, ref HeadBuffer head, out long first, out long length)
    {
        CacheExchange cache = exchange.Cache!;
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        int age = stored.Times.AgeAt(exchange.Context.UnixMilliseconds);
        StoredBody? body = cache.Fetch.Stored.IsHeld ? cache.Fetch.Stored.Body : null;
        first = 0;
        length = cache.Fetch.Reader?.Length ?? body?.Length ?? 0;
        if (Conditional.IsNotModified(cache.Facts, request, bytes, stored))
        {
            exchange.Record.Status = 304;
            head.Advance(stored.WriteNotModified(head.Free, age));
            length = 0;
        }
        else
        {
            RangeVerdict part = Ranges.Decide(cache.Facts, request, bytes, stored, length, out ByteRange range);
            if (part == RangeVerdict.Part)
            {
                exchange.Record.Status = 206;
                head.Advance(stored.WritePartial(head.Free, range, length, age));
                (first, length) = (range.First, range.Length);
            }
            else if (part == RangeVerdict.Unsatisfiable)
            {
                exchange.Record.Status = 416;
                head.Advance(StoredHead.WriteUnsatisfiable(head.Free, length));
                head.Append(exchange.Context.DateLine);
                length = 0;
            }
            else
            {
                exchange.Record.Status = stored.Status;
                head.Advance(stored.Write(head.Free, length, age));
            }
        }
        if (request.Method == RequestMethod.Head) length = 0;
    }

    /// <summary>Sends a part of the stored content, behind the head that is collected.</summary>
    internal static ValueTask SendBodyAsync(Exchange exchange, long first, long length)
    {
        CacheFetch fetch = exchange.Cache!.Fetch;
        return fetch.Reader is { } reader ? DiskHit.SendAsync(exchange, reader, first, length) : SendAsync(exchange, fetch.Stored.IsHeld ? fetch.Stored.Body : null, first, length);
    }

    /// <summary>Copies a part of the stored content for a policy. False when it is damaged, or the receiver takes no more.</summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal static async ValueTask<bool> CopyBodyAsync(Exchange exchange, long first, long length, TransportWriter output)
    {
        CacheFetch fetch = exchange.Cache!.Fetch;
        if (fetch.Reader is { } reader) return await DiskHit.CopyAsync(exchange, reader, first, length, output).ConfigureAwait(false);
        for (long at = first, end = first + length; at < end;)
        {
            ReadOnlyMemory<byte> piece = fetch.Stored.Body!.Slice(at, end - at);
            at += piece.Length;
            if ((await output.WriteAsync(piece).ConfigureAwait(false)).IsCompleted) return false;
        }
        return true;
    }

    /// <summary>Writes that the client has it already: the destination's answer, which is for the store alone.</summary>
    internal static void WriteNotModified(Exchange exchange, StoredHead stored)
    {
        HeadBuffer head = Begin(exchange, stored);
        head.Advance(stored.WriteNotModified(head.Free, stored.Times.AgeAt(exchange.Context.UnixMilliseconds)));
        End(exchange, ref head);
        exchange.Record.Status = 304;
    }

    private static HeadBuffer Begin(Exchange exchange, StoredHead stored)
    {
        ListenerSnapshot listener = exchange.Client.Listener;
        return new(exchange.Client.Transport.Output.GetSpan(
            stored.WrittenBytesMax + listener.ViaLine.Length + listener.StrictTransportLine.Length + CacheExchange.StatusLineBytesMax + (exchange.Limits?.Fields.Length ?? 0) + 64
            + (listener.RequestIds.IsReturned ? listener.RequestIds.LineBytesMax : 0)));
    }

    // What is this connection's, and not the stored response's.
    private static void End(Exchange exchange, ref HeadBuffer head)
    {
        ListenerSnapshot listener = exchange.Client.Listener;
        if (listener.RequestIds.IsReturned) listener.RequestIds.Drop(ref head);
        if (!exchange.KeepClientAlive) head.Append("Connection: close\r\n"u8);
        else if (exchange.Request.MinorVersion == 0) head.Append("Connection: keep-alive\r\n"u8);
        head.Advance(exchange.Cache!.WriteStatusLine(head.Free));
        if (exchange.Limits is { } limits) head.Append(limits.Fields);
        if (listener.RequestIds.IsReturned) listener.RequestIds.Append(ref head, exchange.Record);
        head.Append(listener.StrictTransportLine);
        head.Append(listener.ViaLine);
        head.Append("\r\n"u8);
        exchange.Client.Transport.Output.Advance(head.Length);
    }

    private static ValueTask SendAsync(Exchange exchange, StoredBody? body, long first, long length)
    {
        exchange.IsResponseStarted = true;
        exchange.Record.ResponseBodyBytes = length;
        TransportWriter output = exchange.Client.Transport.Output;
        ReadOnlyMemory<byte> piece = length == 0 ? default : body!.Slice(first, length);
        if (piece.Length < length) return SendPiecesAsync(exchange, body!, first, length);
        if (!exchange.KeepClientAlive) output.EndFollows();
        ValueTask<FlushResult> sending = output.WriteAsync(piece);
        if (!sending.IsCompleted) return WaitAsync(exchange, sending);
        Finish(exchange, sending.GetAwaiter().GetResult());
        return default;

        [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
        static async ValueTask WaitAsync(Exchange exchange, ValueTask<FlushResult> sending) =>
            Finish(exchange, await exchange.WhileClientTakesAsync(sending).ConfigureAwait(false));
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private static async ValueTask SendPiecesAsync(Exchange exchange, StoredBody body, long first, long length)
    {
        TransportWriter output = exchange.Client.Transport.Output;
        FlushResult sent = default;
        for (long at = first, end = first + length; at < end && !sent.IsCompleted && !sent.IsCanceled;)
        {
            ReadOnlyMemory<byte> piece = body.Slice(at, end - at);
            at += piece.Length;
            if (at == end && !exchange.KeepClientAlive) output.EndFollows();
            sent = await exchange.WhileClientTakesAsync(output.WriteAsync(piece)).ConfigureAwait(false);
        }
        Finish(exchange, sent);
    }

    internal static void Finish(Exchange exchange, FlushResult sent)
    {
        exchange.Record.Reason = EndReason.Cached;
        if (!sent.IsCompleted && !sent.IsCanceled) return;
        exchange.Record.Reason = exchange.FailReason != EndReason.None ? exchange.FailReason : EndReason.ClientAborted;
        exchange.KeepClientAlive = false;
        exchange.Client.Transport.Abort();
    }
}
