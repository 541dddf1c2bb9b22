using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>
/// Moves the body bytes of one read buffer on to the other side: finds the data by the sender's framing, writes it in the receiver's.
/// One body at a time, begun by <see cref="Begin"/>; the caller reads, waits and keeps time.
/// </summary>
internal sealed class BodyMover
{
    /// <summary>Results of <see cref="MoveAsync"/>: the framing is broken (see <see cref="Rejection"/>); the receiver is gone.</summary>
    internal const int Rejected = -1, ReceiverGone = -2;

    private MessageFraming _framing;
    private bool _writesChunks;
    private ChunkedDecoder _decoder;
    private TrailerSection? _trailers; // made by the first chunked body, and kept
    private bool _inTrailers;
    private byte[]? _fieldOptions; // of the message's head: see TrailerSection.FieldOptions
    private long _remaining; // -1 where only the sender's framing tells

    /// <summary>Data bytes moved so far.</summary>
    internal long DataBytes { get; private set; }

    /// <summary>Whether the body was complete; what follows in the buffer is none of it.</summary>
    internal bool IsComplete { get; private set; }

    internal RejectionReason Rejection { get; private set; }

    /// <summary>Gets a copy of the data, without framing; null for nobody. Set after <see cref="Begin"/>.</summary>
    internal BodyCapture? Capture { get; set; }

    /// <summary>Gets the beginning of the data; null for nobody. Set after <see cref="Begin"/>.</summary>
    internal AccessLog.BodySample? Sample { get; set; }

    /// <summary>Whether trailers end here (RFC 9110 §6.5: a recipient may discard them). Set after <see cref="Begin"/>.</summary>
    internal bool DropsTrailers { get; set; }

    /// <summary>Begins a body of that framing and, for <see cref="MessageFraming.ContentLength"/>, length.</summary>
    internal void Begin(MessageFraming framing, long length, bool writesChunks, byte[]? fieldOptions)
    {
        _fieldOptions = fieldOptions;
        _framing = framing;
        _writesChunks = writesChunks;
        _decoder = default;
        _inTrailers = false;
        _remaining = framing == MessageFraming.ContentLength ? length : -1;
        DataBytes = 0;
        IsComplete = false;
        Rejection = RejectionReason.None;
        Capture = null;
        Sample = null;
        DropsTrailers = false;
    }

    /// <summary>
    /// Writes what <paramref name="buffer"/> holds and flushes. Returns how many bytes were consumed, <see cref="Rejected"/> or <see cref="ReceiverGone"/>.
    /// </summary>
    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    internal async ValueTask<int> MoveAsync(ReadOnlyMemory<byte> buffer, TransportWriter output)
    {
        int consumed = 0;
        if (_framing != MessageFraming.Chunked)
        {
            consumed = _remaining >= 0 ? (int)Math.Min(_remaining, buffer.Length) : buffer.Length;
            DataBytes += consumed;
            if (_remaining >= 0 && (_remaining -= consumed) == 0) IsComplete = true;
            ReadOnlyMemory<byte> data = buffer[..consumed];
            Capture?.Append(data.Span);
            Sample?.Append(data.Span);
            if (!_writesChunks)
            {
                FlushResult sent = await output.WriteAsync(data).ConfigureAwait(false);
                return sent.IsCompleted || sent.IsCanceled ? ReceiverGone : consumed;
            }
            if (consumed > 0 && (await ChunkWriter.WriteAsync(output, data).ConfigureAwait(false)).IsCompleted) return ReceiverGone;
            return await FlushAsync(output, consumed).ConfigureAwait(false);
        }

        while (consumed < buffer.Length && !IsComplete)
        {
            if (_inTrailers)
            {
                if (!ReadTrailers(buffer[consumed..], output, out int taken)) return Rejected;
                consumed += taken;
                break;
            }
            ParseStatus status = _decoder.Read(buffer.Span[consumed..], out int used, out int dataStart, out int dataLength);
            if (status == ParseStatus.Rejected)
            {
                Rejection = _decoder.Rejection;
                return Rejected;
            }
            if (dataLength > 0)
            {
                DataBytes += dataLength;
                ReadOnlyMemory<byte> data = buffer.Slice(consumed + dataStart, dataLength);
                Capture?.Append(data.Span);
                Sample?.Append(data.Span);
                FlushResult sent = _writesChunks
                    ? await ChunkWriter.WriteAsync(output, data).ConfigureAwait(false)
                    : await output.WriteAsync(data).ConfigureAwait(false);
                if (sent.IsCompleted || sent.IsCanceled) return ReceiverGone;
            }
            consumed += used;
            if (status == ParseStatus.Complete)
            {
                _inTrailers = true;
                _trailers ??= new TrailerSection();
                _trailers.Reset();
                _trailers.FieldOptions = _fieldOptions;
            }
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
        if (!_writesChunks) return true;
        var end = new HeadBuffer(output.GetSpan(_trailers.Length + 8));
        end.Append("0\r\n"u8);
        for (int i = 0; i < _trailers.FieldCount; i++)
        {
            FieldLine field = _trailers.Fields[i];
            if (!field.IsHopByHop && !DropsTrailers) end.Append(buffer.Span[field.NameStart..field.LineEnd]);
        }
        end.Append("\r\n"u8);
        output.Advance(end.Length);
        return true;
    }

    /// <summary>Ends a body that had no end of its own (its connection was closed in order).</summary>
    internal void EndUntilClose(TransportWriter output)
    {
        IsComplete = true;
        if (!_writesChunks) return;
        "0\r\n\r\n"u8.CopyTo(output.GetSpan(5));
        output.Advance(5);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<int> FlushAsync(TransportWriter output, int consumed)
    {
        if (output.UnflushedBytes == 0) return consumed;
        FlushResult sent = await output.FlushAsync().ConfigureAwait(false);
        return sent.IsCompleted || sent.IsCanceled ? ReceiverGone : consumed;
    }
}
