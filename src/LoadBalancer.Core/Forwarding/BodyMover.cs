using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;
using System.IO.Pipelines;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// Moves the body bytes of one read buffer on to the other side: finds the data by the sender's framing, writes it in the receiver's.
/// One instance for one body; the caller reads, waits and keeps time.
/// </summary>
internal sealed class BodyMover(MessageFraming framing, long length, bool writesChunks, byte[]? fieldOptions)
{
    private ChunkedDecoder _decoder;
    private TrailerSection? _trailers;
    private long _remaining = framing == MessageFraming.ContentLength ? length : -1;

    /// <summary>Data bytes moved so far.</summary>
    internal long DataBytes { get; private set; }

    /// <summary>Whether the body was complete; what follows in the buffer is none of it.</summary>
    internal bool IsComplete { get; private set; }

    internal RejectionReason Rejection { get; private set; }

    /// <summary>
    /// Writes what <paramref name="buffer"/> holds and flushes. Returns how many bytes were consumed, -1 for broken framing (see
    /// <see cref="Rejection"/>), -2 when the receiver is gone.
    /// </summary>
    internal async ValueTask<int> MoveAsync(ReadOnlyMemory<byte> buffer, TransportWriter output)
    {
        int consumed = 0;
        if (framing != MessageFraming.Chunked)
        {
            consumed = _remaining >= 0 ? (int)Math.Min(_remaining, buffer.Length) : buffer.Length;
            DataBytes += consumed;
            if (_remaining >= 0 && (_remaining -= consumed) == 0) IsComplete = true;
            ReadOnlyMemory<byte> data = buffer[..consumed];
            if (!writesChunks)
            {
                FlushResult sent = await output.WriteAsync(data).ConfigureAwait(false);
                return sent.IsCompleted || sent.IsCanceled ? -2 : consumed;
            }
            if (consumed > 0 && (await ChunkWriter.WriteAsync(output, data).ConfigureAwait(false)).IsCompleted) return -2;
            return await FlushAsync(output, consumed).ConfigureAwait(false);
        }

        while (consumed < buffer.Length && !IsComplete)
        {
            if (_trailers is not null)
            {
                if (!ReadTrailers(buffer[consumed..], output, out int taken)) return -1;
                consumed += taken;
                break;
            }
            ParseStatus status = _decoder.Read(buffer.Span[consumed..], out int used, out int dataStart, out int dataLength);
            if (status == ParseStatus.Rejected)
            {
                Rejection = _decoder.Rejection;
                return -1;
            }
            if (dataLength > 0)
            {
                DataBytes += dataLength;
                ReadOnlyMemory<byte> data = buffer.Slice(consumed + dataStart, dataLength);
                FlushResult sent = writesChunks
                    ? await ChunkWriter.WriteAsync(output, data).ConfigureAwait(false)
                    : await output.WriteAsync(data).ConfigureAwait(false);
                if (sent.IsCompleted || sent.IsCanceled) return -2;
            }
            consumed += used;
            if (status == ParseStatus.Complete) _trailers = new TrailerSection(fieldOptions);
        }
        return await FlushAsync(output, consumed).ConfigureAwait(false);
    }

    private bool ReadTrailers(ReadOnlyMemory<byte> buffer, TransportWriter output, out int taken)
    {
        taken = 0;
        ParseStatus status = _trailers!.Parse(buffer.Span);
        if (status == ParseStatus.NeedMore) return true;
        if (status == ParseStatus.Rejected)
        {
            Rejection = _trailers.Rejection;
            return false;
        }
        taken = _trailers.Length;
        IsComplete = true;
        if (!writesChunks) return true;
        var end = new HeadBuffer(output.GetSpan(_trailers.Length + 8));
        end.Append("0\r\n"u8);
        for (int i = 0; i < _trailers.FieldCount; i++)
        {
            FieldLine field = _trailers.Fields[i];
            if (!field.IsHopByHop) end.Append(buffer.Span[field.NameStart..field.LineEnd]);
        }
        end.Append("\r\n"u8);
        output.Advance(end.Length);
        return true;
    }

    /// <summary>Ends a body that had no end of its own (its connection was closed in order).</summary>
    internal void EndUntilClose(TransportWriter output)
    {
        IsComplete = true;
        if (!writesChunks) return;
        "0\r\n\r\n"u8.CopyTo(output.GetSpan(5));
        output.Advance(5);
    }

    private static async ValueTask<int> FlushAsync(TransportWriter output, int consumed)
    {
        if (output.UnflushedBytes == 0) return consumed;
        FlushResult sent = await output.FlushAsync().ConfigureAwait(false);
        return sent.IsCompleted || sent.IsCanceled ? -2 : consumed;
    }
}
