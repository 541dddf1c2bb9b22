using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The sending side: heads are collected in one slab, bodies are sent from where they lie. Write first; only a short write waits for
/// an edge. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed unsafe class EpollWriter(EpollConnection connection, EpollLoop loop) : TransportWriter, IValueTaskSource<FlushResult>
{
    // Up to here copying beats a second I/O vector.
    private const int CopyMax = 4096;

    private Slab? _slab;
    private int _collected, _sent; // in the slab
    private ReadOnlyMemory<byte> _body, _tail;
    private bool _pending, _cancelRequested, _completed;
    private int _sendFlags = Libc.MSG_NOSIGNAL;
    private LoopCompletion<FlushResult> _completion;

    internal bool IsPending => _pending;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _collected - _sent;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Slab slab = Room(sizeHint);
        return slab.Array.AsMemory(_collected);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Slab slab = Room(sizeHint);
        return slab.Array.AsSpan(_collected);
    }

    private Slab Room(int sizeHint)
    {
        Slab? slab = _slab;
        if (slab is null) return _slab = loop.Slabs.Lease(sizeHint);
        if (slab.Length - _collected >= Math.Max(sizeHint, 1)) return slab;
        if (_collected + sizeHint > SlabPool.LargeSize) throw new ArgumentOutOfRangeException(nameof(sizeHint), "more was collected than a slab holds; flush first");
        Slab larger = loop.Slabs.Lease(Math.Max(_collected + sizeHint, slab.Length + 1));
        slab.Array.AsSpan(0, _collected).CopyTo(larger.Array);
        loop.Slabs.Return(slab);
        return _slab = larger;
    }

    public override void Advance(int bytes)
    {
        if (_slab is null || (uint)bytes > (uint)(_slab.Length - _collected)) throw new ArgumentOutOfRangeException(nameof(bytes));
        _collected += bytes;
    }

    // Corked: shutdown() pushes out what waits, with the FIN on it. One segment less for each connection that ends with its answer.
    internal override void EndFollows() => _sendFlags = Libc.MSG_NOSIGNAL | Libc.MSG_MORE;

    /// <summary>Whether what was sent last may still wait for the end.</summary>
    internal bool IsCorked => _sendFlags != Libc.MSG_NOSIGNAL && !_completed;

    // Hot path: per flush. 0 allocations.
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => SendOrWait();

    internal override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        int length = body.Length + tail.Length;
        if (length <= CopyMax && (_slab is null ? _collected == 0 : _slab.Length - _collected >= length))
        {
            if (length > 0)
            {
                Span<byte> room = GetSpan(length);
                body.Span.CopyTo(room);
                tail.Span.CopyTo(room[body.Length..]);
                _collected += length;
            }
        }
        else
        {
            _body = body;
            _tail = tail;
        }
        return SendOrWait();
    }

    private ValueTask<FlushResult> SendOrWait()
    {
        if (_cancelRequested)
        {
            _cancelRequested = false;
            return new(new FlushResult(isCanceled: true, isCompleted: false));
        }
        if (connection.Fd < 0 || _completed) return new(new FlushResult(isCanceled: false, isCompleted: true));
        if (Send()) return new(new FlushResult(isCanceled: false, isCompleted: connection.Fault != TransportFault.None));
        _pending = true;
        return new(this, _completion.Start());
    }

    /// <summary>Sends as much as the kernel takes. True when all is sent, or the connection is broken.</summary>
    private bool Send()
    {
        while (true)
        {
            int collected = _collected - _sent;
            long wanted = (long)collected + _body.Length + _tail.Length;
            if (wanted == 0)
            {
                ReleaseSlab();
                return true;
            }
            nint sent;
            if (_body.IsEmpty && _tail.IsEmpty) sent = Libc.Send(connection.Fd, _slab!.Pointer + _sent, (nuint)collected, _sendFlags);
            else sent = SendVectors(collected);
            if (sent < 0)
            {
                int error = Libc.LastError;
                if (error == Libc.EINTR) continue;
                if (error is Libc.EAGAIN) return false;
                connection.SetReset();
                Drop();
                return true;
            }
            Consume((int)sent);
            if (sent == wanted)
            {
                ReleaseSlab();
                return true;
            }
            // A short write means that the send buffer is full, and that the kernel owes us an edge.
            return false;
        }
    }

    private nint SendVectors(int collected)
    {
        Libc.IoVector* vectors = stackalloc Libc.IoVector[3];
        int count = 0;
        if (collected > 0) vectors[count++] = new() { Base = _slab!.Pointer + _sent, Length = (nuint)collected };
        fixed (byte* body = _body.Span, tail = _tail.Span)
        {
            if (!_body.IsEmpty) vectors[count++] = new() { Base = body, Length = (nuint)_body.Length };
            if (!_tail.IsEmpty) vectors[count++] = new() { Base = tail, Length = (nuint)_tail.Length };
            if (count == 1) return Libc.Send(connection.Fd, vectors[0].Base, vectors[0].Length, _sendFlags);
            var message = new Libc.MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
            return Libc.SendMessage(connection.Fd, &message, _sendFlags);
        }
    }

    private void Consume(int sent)
    {
        LastSentAt = loop.NowMilliseconds;
        SentBytes += sent;
        int part = Math.Min(sent, _collected - _sent);
        _sent += part;
        sent -= part;
        if (sent == 0) return;
        part = Math.Min(sent, _body.Length);
        _body = _body[part..];
        sent -= part;
        if (sent > 0) _tail = _tail[sent..];
    }

    /// <summary>An edge, or the loop's turn, while a flush is pending.</summary>
    internal void Continue()
    {
        if (connection.Fd < 0 || Send()) Complete(new(isCanceled: false, isCompleted: connection.Fault != TransportFault.None));
    }

    internal void OnDeferred()
    {
        if (_cancelRequested)
        {
            _cancelRequested = false;
            Complete(new(isCanceled: true, isCompleted: false));
        }
        else if (connection.Fd < 0) Continue();
    }

    private void Complete(FlushResult result)
    {
        _pending = false;
        _completion.SetResult(result);
    }

    public override void CancelPendingFlush()
    {
        _cancelRequested = true;
        if (_pending) loop.Defer(connection);
    }

    /// <summary>Ends our direction with a FIN. What was collected and not flushed is dropped.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed) return;
        _completed = true;
        if (connection.Fd >= 0) _ = Libc.Shutdown(connection.Fd, Libc.SHUT_WR);
        Drop();
    }

    private void Drop()
    {
        _body = _tail = default;
        ReleaseSlab();
    }

    private void ReleaseSlab()
    {
        _collected = _sent = 0;
        if (_slab is null) return;
        loop.Slabs.Return(_slab);
        _slab = null;
    }

    internal void Release()
    {
        _completed = true;
        Drop();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);
}
